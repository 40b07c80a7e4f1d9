"""Read and change tables with each engine's own client, without the code under test."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import psycopg
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from taxi_assets.datasets.month import Month


def descriptions_of(url: str, table: str) -> dict[str, str]:
    """Column → description, in the table's order."""
    engines = {"duckdb": _duckdb, "bigquery": _bigquery, "postgresql": _postgresql}
    return engines[urlsplit(url).scheme](url, table)


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement that is valid on all engines; return its rows, ``[]`` if it has none."""
    parts = urlsplit(url)
    if parts.scheme == "duckdb":
        with duckdb.connect(url.removeprefix("duckdb:///")) as connection:
            return connection.execute(statement).fetchall()
    if parts.scheme == "postgresql":
        with psycopg.connect(url) as session:
            cursor = session.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
    with bigquery_client(parts.netloc) as client:
        dataset = bigquery.DatasetReference(parts.netloc, parts.path.strip("/"))
        config = bigquery.QueryJobConfig(default_dataset=dataset)
        return [row.values() for row in client.query(statement, config).result()]


def drop_month(url: str, table: str, month: Month) -> None:
    """Delete or drop a month, in the way that is usual on that engine."""
    parts = urlsplit(url)
    partition = f"{month.year}{month.month:02d}"
    if parts.scheme == "duckdb":
        execute(url, f"DELETE FROM {table} WHERE source_month = DATE '{month.first_day}'")
    elif parts.scheme == "postgresql":
        execute(url, f"DROP TABLE {table}_{partition}")
    else:
        with bigquery_client(parts.netloc) as client:
            client.delete_table(f"{parts.path.strip('/')}.{table}${partition}")


def bigquery_client(project: str) -> bigquery.Client:
    """A client for the emulator in the environment variables."""
    return bigquery.Client(project, AnonymousCredentials())  # type: ignore[no-untyped-call]  # Google


def _duckdb(url: str, table: str) -> dict[str, str]:
    query = "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ?"
    path = Path(url.removeprefix("duckdb:///"))
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name: text or "" for name, text in connection.execute(query, [table]).fetchall()}


def _bigquery(url: str, table: str) -> dict[str, str]:
    parts = urlsplit(url)
    with bigquery_client(parts.netloc) as client:
        schema = client.get_table(f"{parts.path.strip('/')}.{table}").schema
    return {field.name: field.description or "" for field in schema}


def _postgresql(url: str, table: str) -> dict[str, str]:
    query = (
        "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 ORDER BY attnum"
    )
    with psycopg.connect(url) as connection:
        return {name: text or "" for name, text in connection.execute(query, [table])}


def tables_of(url: str) -> list[str]:
    """Every table, partitions included; of a DuckDB file that does not exist, none."""
    parts = urlsplit(url)
    if parts.scheme == "bigquery":
        with bigquery_client(parts.netloc) as client:
            return sorted(each.table_id for each in client.list_tables(parts.path.strip("/")))
    if parts.scheme == "duckdb" and not Path(url.removeprefix("duckdb:///")).exists():
        return []
    schema = "'main'" if parts.scheme == "duckdb" else "current_schema()"
    query = f"SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}"
    return sorted(name for (name,) in execute(url, query))
