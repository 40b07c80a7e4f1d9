"""One DuckDB file as the warehouse: the default on a laptop.

Belongs here: DuckDB's DDL, transactions, its single writer. Does not: any other engine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import duckdb
import pyarrow as pa
from typing_extensions import override

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.errors import AuditFailed, ObjectMissing, WarehouseLocked
from taxi_assets.services import named_errors
from taxi_assets.warehouse.base import Load, Loaded, Warehouse
from taxi_assets.warehouse.duckdb_errors import DUCKDB
from taxi_assets.warehouse.sources import check_file, check_month, footer_of
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table, added_columns

_TYPES: dict[Type, str] = {
    Type.INTEGER: "BIGINT",
    Type.FLOAT: "DOUBLE",
    Type.STRING: "VARCHAR",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.DATE: "DATE",
    Type.BOOLEAN: "BOOLEAN",
}
_CANONICAL = {sql: type_ for type_, sql in _TYPES.items()}
_BATCH_ROWS = 131_072

# Between two looks at a file that others hold. Who reads in a loop leaves it free for moments only,
# and a look is cheap.
_LONGEST_PAUSE = 0.1


class DuckDBWarehouse(Warehouse):
    """Tables in the file ``path``, which is made when first written.

    DuckDB lets one process write and keeps the others out, readers too, so every call opens the
    file, works and closes it, and waits up to ``patience_seconds`` for its turn.
    """

    def __init__(
        self,
        path: Path,
        *,
        memory_limit: str = "512MB",
        threads: int | None = None,
        patience_seconds: float = 60.0,
    ) -> None:
        self.path = path.absolute()
        self.url = f"duckdb:///{self.path}"
        self.memory_limit = memory_limit
        self.threads = threads
        self.patience_seconds = patience_seconds

    @override
    def replace(self, loads: Sequence[Load], month: Month | None) -> list[Loaded]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        doing = f"Loading {', '.join(load.table.name for load in loads)} {month or ''}".rstrip()
        with self._connect(read_only=False) as connection, named_errors(DUCKDB, doing):
            connection.execute("BEGIN")
            try:
                loaded = [_replace(connection, load, month) for load in loads]
                connection.execute("COMMIT")
            except BaseException:
                with suppress(duckdb.Error):  # a commit that failed has ended the transaction
                    connection.execute("ROLLBACK")
                raise
        return loaded

    @override
    def read(
        self, table: str, *, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        return self._read(table, months, columns)

    @override
    def count(self, table: str, month: Month | None) -> int:
        if not self.path.exists():
            return 0
        with self._connect(read_only=True) as connection:
            if not _columns_of(connection, table):
                return 0
            where, values = _where(None if month is None else [month])
            query = f"SELECT count(*) FROM {_quoted(table)}{where}"
            row = connection.execute(query, values).fetchone()
        assert row is not None
        return int(row[0])

    @contextmanager
    def _read(
        self, table: str, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> Iterator[pa.RecordBatchReader]:
        missing = ObjectMissing(
            f"{self.url} has no table {table}.", "Materialise the asset that writes it."
        )
        if not self.path.exists():
            raise missing
        with self._connect(read_only=True) as connection:
            have = [name for name, _ in _columns_of(connection, table)]
            if not have:
                raise missing
            unknown = sorted(set(columns or ()) - set(have))
            if unknown:
                raise ObjectMissing(
                    f"{table} has no column {', '.join(unknown)}.", f"Choose from {have}."
                )
            chosen = ", ".join(_quoted(name) for name in columns or have)
            where, values = _where(months)
            query = f"SELECT {chosen} FROM {_quoted(table)}{where}"
            reader = connection.sql(query, params=values).to_arrow_reader(_BATCH_ROWS)
            try:
                yield reader
            finally:
                # A reader left open keeps the file open: the next connect would wait for ever.
                reader.close()

    @contextmanager
    def _connect(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = self._open(read_only)
        try:
            connection.execute("SET enable_progress_bar = false")
            # A month's order in the table means nothing, and keeping it costs memory and time.
            connection.execute("SET preserve_insertion_order = false")
            yield connection
        finally:
            connection.close()

    def _open(self, read_only: bool) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self.memory_limit
        }
        if self.threads:
            config["threads"] = self.threads
        deadline = time.monotonic() + self.patience_seconds
        pause = 0.05
        while True:
            try:
                with named_errors(DUCKDB, f"Opening {self.url}"):
                    return duckdb.connect(str(self.path), read_only=read_only, config=config)
            except WarehouseLocked:
                if time.monotonic() > deadline:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, _LONGEST_PAUSE)


def _replace(connection: duckdb.DuckDBPyConnection, load: Load, month: Month | None) -> Loaded:
    started = time.monotonic()
    table = load.table
    path = load.source.path()
    check_month(table, month)
    check_file(table, month, footer_of(path), str(path))
    _prepare(connection, table)
    where, values = _where(None if month is None else [month])
    connection.execute(f"DELETE FROM {_quoted(table.name)}{where}", values)
    columns = ", ".join(_quoted(column.name) for column in table.columns)
    casts = ", ".join(
        f"CAST({_quoted(column.name)} AS {_TYPES[column.type]})" for column in table.columns
    )
    if table.monthly:
        strays = connection.execute(
            f"SELECT count(*) FROM read_parquet(?) WHERE {SOURCE_MONTH} IS DISTINCT FROM ?",
            [str(path), month and month.first_day],
        ).fetchone()
        if strays and strays[0]:
            raise AuditFailed(
                f"{strays[0]} rows on their way into {table.name} have another {SOURCE_MONTH} "
                f"than {month}; nothing was loaded.",
                "Clean the month again.",
            )
    row = connection.execute(
        f"INSERT INTO {_quoted(table.name)} ({columns}) SELECT {casts} FROM read_parquet(?)",
        [str(path)],
    ).fetchone()
    assert row is not None
    return Loaded(rows=int(row[0]), seconds=time.monotonic() - started)


def _prepare(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Create the table or add the columns it lacks, inside the load's transaction."""
    existing = _columns_of(connection, table.name)
    name = _quoted(table.name)
    if not existing:
        columns = ", ".join(
            f"{_quoted(column.name)} {_TYPES[column.type]}" for column in table.columns
        )
        connection.execute(f"CREATE TABLE {name} ({columns})")
        connection.execute(f"COMMENT ON TABLE {name} IS {_literal(table.description)}")
    added = added_columns(table, existing)
    for column in added if existing else ():
        connection.execute(
            f"ALTER TABLE {name} ADD COLUMN {_quoted(column.name)} {_TYPES[column.type]}"
        )
    for column in added:
        comment = _literal(column.description)
        connection.execute(f"COMMENT ON COLUMN {name}.{_quoted(column.name)} IS {comment}")


def _columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, Type | str]]:
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_name = ? AND table_schema = 'main' ORDER BY ordinal_position",
        [table],
    ).fetchall()
    return [(name, _CANONICAL.get(sql_type, sql_type)) for name, sql_type in rows]


def _where(months: Sequence[Month] | None) -> tuple[str, list[object]]:
    if months is None:
        return "", []
    marks = ", ".join("?" for _ in months)
    return f" WHERE {SOURCE_MONTH} IN ({marks})", [month.first_day for month in months]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
