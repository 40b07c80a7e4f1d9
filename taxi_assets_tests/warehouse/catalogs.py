"""What each engine's own catalog says of a table, asked without the code under test."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import psycopg
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery


def descriptions_of(url: str, table: str) -> dict[str, str]:
    """Column → description, in the table's order."""
    ask = {"duckdb": _duckdb, "bigquery": _bigquery, "postgresql": _postgresql}
    return ask[urlsplit(url).scheme](url, table)


def bigquery_client(project: str) -> bigquery.Client:
    """A client of the emulator that the environment names."""
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
