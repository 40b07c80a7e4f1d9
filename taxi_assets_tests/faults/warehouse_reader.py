"""Read a month from a warehouse with the engine's own client, without the code under test."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from taxi_assets_tests.faults.months import MONTH, SPEC, Rows, rows_of

__all__ = ["WarehouseMonth", "create", "open_warehouse"]

_TABLES = (f"{SPEC.name}_trips", f"{SPEC.name}_rejects")
_WHERE = f"source_month = DATE '{MONTH.first_day}'"


@dataclass(frozen=True, slots=True)
class WarehouseMonth:
    """The rows of the month in both tables, of one moment.

    ``apart``: the engine has no transaction over both tables, and its records say that they are of
    two versions.
    """

    trips: Rows
    rejects: Rows
    apart: bool = False


class Reader(Protocol):
    """An open connection to a warehouse."""

    def month(self) -> WarehouseMonth | None:
        """The month, ``None`` if it has no rows."""

    def tables(self) -> set[str]:
        """The names of all tables."""


@contextmanager
def open_warehouse(url: str) -> Iterator[Reader]:
    """A reader of the warehouse at ``url``."""
    kind = urlsplit(url).scheme
    with {"duckdb": _duckdb, "postgresql": _postgres, "bigquery": _bigquery}[kind](url) as reader:
        yield reader


def create(url: str) -> None:
    """Create the schema or dataset that a warehouse expects to exist."""
    parts = urlsplit(url)
    if parts.scheme == "postgresql":
        import psycopg  # noqa: PLC0415 - a slow import

        with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {url.rpartition('%3D')[2]}".encode())
    elif parts.scheme == "bigquery":
        _client(parts.netloc).create_dataset(parts.path.strip("/"))


@contextmanager
def _duckdb(url: str) -> Iterator[Reader]:
    yield _DuckDB(Path(url.removeprefix("duckdb:///")))


class _DuckDB:
    def __init__(self, path: Path) -> None:
        self._path = path if path.is_absolute() else Path("/") / path

    def month(self) -> WarehouseMonth | None:
        found = self._ask(
            lambda db: [
                _fetched(db.execute(f"SELECT * FROM {table} WHERE {_WHERE}")) for table in _TABLES
            ],
            _TABLES,
        )
        return _month(found)

    def tables(self) -> set[str]:
        found = self._ask(
            lambda db: db.execute("SELECT table_name FROM duckdb_tables()").fetchall(), ()
        )
        return {name for (name,) in found or ()}

    def _ask(self, question: Any, needed: Sequence[str]) -> Any:
        import duckdb  # noqa: PLC0415 - its import starts no thread, but connections do

        deadline = time.monotonic() + 30
        while self._path.exists():
            try:
                with duckdb.connect(str(self._path), read_only=True) as db:
                    names = {
                        name
                        for (name,) in db.execute(
                            "SELECT table_name FROM duckdb_tables()"
                        ).fetchall()
                    }
                    if not names.issuperset(needed):
                        return None
                    db.execute("BEGIN")
                    return question(db)
            except duckdb.IOException:  # a writer has it open
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        return None


@contextmanager
def _postgres(url: str) -> Iterator[Reader]:
    import psycopg  # noqa: PLC0415 - a slow import

    with psycopg.connect(url, autocommit=True) as connection:
        yield _Postgres(connection)


class _Postgres:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def month(self) -> WarehouseMonth | None:
        if not self.tables().issuperset(_TABLES):
            return None
        with self._connection.transaction():
            self._connection.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            # The locks first, because the first query takes the snapshot for both; in the order of
            # names, as a load takes them, or one of the two may be ended for a deadlock.
            self._connection.execute(
                f"LOCK TABLE {', '.join(sorted(_TABLES))} IN ACCESS SHARE MODE".encode()
            )
            return _month(
                [
                    _fetched(
                        self._connection.execute(f"SELECT * FROM {table} WHERE {_WHERE}".encode())
                    )
                    for table in _TABLES
                ]
            )

    def tables(self) -> set[str]:
        found = self._connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
            "AND relnamespace = current_schema()::regnamespace"
        ).fetchall()
        return {name for (name,) in found}


@contextmanager
def _bigquery(url: str) -> Iterator[Reader]:
    parts = urlsplit(url)
    client = _client(parts.netloc)
    try:
        yield _BigQuery(client, parts.netloc, parts.path.strip("/"))
    finally:
        client.close()


class _BigQuery:
    def __init__(self, client: Any, project: str, dataset: str) -> None:
        self._client, self._dataset = client, f"{project}.{dataset}"

    def month(self) -> WarehouseMonth | None:
        """Two queries have no common snapshot: read again until the records did not change."""
        if not self.tables().issuperset(_TABLES):
            return None
        for _ in range(20):
            before = self._versions()
            parts = [self._rows(table) for table in _TABLES]
            if self._versions() == before:
                break
        month = _month(parts)
        if month is None:
            return None
        # The trips' record is the month's; until both agree, readers must not use the pair.
        return WarehouseMonth(month.trips, month.rejects, len(set(before.values())) != 1)

    def tables(self) -> set[str]:
        return {each.table_id for each in self._client.list_tables(self._dataset)}

    def _versions(self) -> dict[str, str]:
        """The newest record of each table, if it agrees with the number of rows now there."""
        if "loaded_months" not in self.tables():
            return {}
        rows = self._client.query(
            f"SELECT table_name, version, row_count FROM `{self._dataset}.loaded_months` "
            f"WHERE {_WHERE} QUALIFY ROW_NUMBER() OVER "
            "(PARTITION BY table_name ORDER BY loaded_at DESC) = 1"
        ).result()
        recorded = {row[0]: (row[1], row[2]) for row in rows}
        found: dict[str, str] = {}
        for table in _TABLES:
            version, count = recorded.get(table, ("none", 0))
            total = f"SELECT count(*) FROM `{self._dataset}.{table}` WHERE {_WHERE}"
            [(now,)] = [tuple(row) for row in self._client.query(total).result()]
            found[table] = version if now == count else f"{table} has {now} rows"
        return found

    def _rows(self, table: str) -> tuple[list[str], list[Sequence[object]]]:
        found = self._client.query(
            f"SELECT * FROM `{self._dataset}.{table}` WHERE {_WHERE}"
        ).result()
        return [field.name for field in found.schema], [row.values() for row in found]


def _client(project: str) -> Any:
    from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415 - a slow import
    from google.cloud import bigquery  # noqa: PLC0415 - a slow import

    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call] # Google's own
    return bigquery.Client(project, anonymous)


def _fetched(cursor: Any) -> tuple[list[str], list[Sequence[object]]]:
    return [column[0] for column in cursor.description], list(cursor.fetchall())


def _month(parts: Any) -> WarehouseMonth | None:
    if parts is None:
        return None
    trips, rejects = (rows_of(names, rows) for names, rows in parts)
    return WarehouseMonth(trips, rejects) if trips or rejects else None
