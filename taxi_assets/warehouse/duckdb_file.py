"""The warehouse in a DuckDB file, the default: connections, locking and loads."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import duckdb
import pyarrow as pa
from typing_extensions import override

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.errors import ObjectMissing, WarehouseLocked
from taxi_assets.machine_errors import named_machine_errors
from taxi_assets.services import named_errors
from taxi_assets.warehouse import duckdb_months
from taxi_assets.warehouse.base import Database, Load, Loaded, LoadedMonth
from taxi_assets.warehouse.duckdb_errors import DUCKDB, DUCKDB_STREAM
from taxi_assets.warehouse.duckdb_load import replace_rows
from taxi_assets.warehouse.duckdb_schema import (
    columns_of,
    month_filter,
    quoted,
)

__all__ = ["DuckDBWarehouse"]

_BATCH_ROWS = 131_072

# Between two attempts to open a locked file. A process that reads repeatedly unlocks it only
# briefly, and an attempt is cheap.
_MAX_RETRY_DELAY = 0.1

# Files whose lock this process has waited for in vain. The next calls, of a retried step or of the
# next month, do not wait again until they find the file unlocked.
_timed_out: set[Path] = set()


class DuckDBWarehouse(Database):
    """Tables in the file ``path``, which is created by the first write.

    While one process writes, DuckDB allows no other to open the file, not even to read. So every
    call opens and closes it, and waits up to ``lock_timeout_seconds`` for others to close it; a
    process waits that long only once.
    """

    def __init__(
        self,
        path: Path,
        *,
        memory_limit: str = "512MB",
        threads: int | None = None,
        lock_timeout_seconds: float = 60.0,
    ) -> None:
        self.path = path.absolute()
        self.url = f"duckdb:///{self.path}"
        self.memory_limit = memory_limit
        self.threads = threads
        self.lock_timeout_seconds = lock_timeout_seconds

    @override
    def replace(self, loads: Sequence[Load], month: Month | None) -> list[Loaded]:
        doing = f"Loading {', '.join(load.table.name for load in loads)} {month or ''}".rstrip()
        with named_machine_errors(doing):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connect(doing, read_only=False) as connection:
            connection.execute("BEGIN")
            try:
                loaded = [replace_rows(connection, load, month) for load in loads]
                if month is not None:
                    duckdb_months.record(connection, loads, loaded, month)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(duckdb.Error):  # a commit that failed has ended the transaction
                    connection.execute("ROLLBACK")
                raise
        return loaded

    @override
    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """See :class:`Database`; each statement is committed, as DuckDB does by default."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._open(read_only=False)
        try:
            yield connection
        finally:
            connection.close()

    @override
    def read(
        self, table: str, *, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        return self._read(table, months, columns)

    @override
    def count(self, table: str, month: Month | None) -> int:
        if not self.path.exists():
            return 0
        with self._connect(f"Counting {table}", read_only=True) as connection:
            if not columns_of(connection, table):
                return 0
            where, values = month_filter(None if month is None else [month])
            query = f"SELECT count(*) FROM {quoted(table)}{where}"
            row = connection.execute(query, values).fetchone()
        assert row is not None
        return int(row[0])

    @override
    def loaded(self, table: str, month: Month) -> LoadedMonth | None:
        if not self.path.exists():
            return None
        with self._connect(f"Reading the records of {table}", read_only=True) as connection:
            return duckdb_months.loaded(connection, table, month)

    @override
    def loaded_months(self, table: str) -> Mapping[Month, LoadedMonth]:
        if not self.path.exists():
            return {}
        with self._connect(f"Reading the records of {table}", read_only=True) as connection:
            return duckdb_months.loaded_months(connection, table)

    @override
    def origins(self) -> Collection[str | None]:
        if not self.path.exists():
            return []
        with self._connect("Reading the records of months", read_only=True) as connection:
            return duckdb_months.origins(connection)

    @override
    def unrecorded_months(self, table: str) -> list[Month]:
        if not self.path.exists():
            return []
        with self._connect(f"Reading the months of {table}", read_only=True) as connection:
            return duckdb_months.unrecorded_months(connection, table)

    @override
    def tables(self, prefix: str) -> list[str]:
        if not self.path.exists():
            return []
        with self._connect("Listing tables", read_only=True) as connection:
            rows = connection.execute(
                "SELECT table_name FROM duckdb_tables() "
                "WHERE schema_name = 'main' AND starts_with(table_name, ?) ORDER BY 1",
                [prefix],
            ).fetchall()
        return [name for (name,) in rows]

    @override
    def drop(self, table: str) -> None:
        if not self.path.exists():
            return
        with self._connect(f"Dropping {table}", read_only=False) as connection:
            connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
            duckdb_months.forget(connection, table)

    @contextmanager
    def _read(
        self, table: str, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> Iterator[pa.RecordBatchReader]:
        missing = ObjectMissing(f"{self.url} has no table {table}.", "Materialize its asset first.")
        if not self.path.exists():
            raise missing
        with self._connect(f"Reading {table}", read_only=True) as connection:
            have = dict(columns_of(connection, table))
            if not have:
                raise missing
            unknown = sorted(set(columns or ()) - have.keys())
            if unknown:
                raise ObjectMissing(
                    f"{table} has no column {', '.join(unknown)}.", f"Choose from {list(have)}."
                )
            chosen = ", ".join(_read_as(name, have[name]) for name in columns or have)
            where, values = month_filter(months)
            query = f"SELECT {chosen} FROM {quoted(table)}{where}"
            reader = connection.sql(query, params=values).to_arrow_reader(_BATCH_ROWS)
            try:
                yield pa.RecordBatchReader.from_batches(
                    reader.schema, _named_batches(reader, f"Reading {table}")
                )
            finally:
                # An open reader keeps the file open, and the next connection would time out.
                reader.close()

    @contextmanager
    def _connect(self, doing: str, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = self._open(read_only)
        try:
            connection.execute("SET enable_progress_bar = false")
            # The order of rows has no meaning, and preserving it costs memory and time.
            connection.execute("SET preserve_insertion_order = false")
            with named_errors(DUCKDB, doing):
                yield connection
        finally:
            connection.close()

    def _open(self, read_only: bool) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self.memory_limit
        }
        if self.threads:
            config["threads"] = self.threads
        timeout = 0.0 if self.path in _timed_out else self.lock_timeout_seconds
        deadline = time.monotonic() + timeout
        delay = 0.05
        while True:
            try:
                with named_errors(DUCKDB, f"Opening {self.url}"):
                    connection = duckdb.connect(str(self.path), read_only=read_only, config=config)
            except WarehouseLocked:
                if time.monotonic() >= deadline:
                    _timed_out.add(self.path)
                    raise
            else:
                _timed_out.discard(self.path)
                return connection
            time.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            delay = min(delay * 2, _MAX_RETRY_DELAY)


def _named_batches(reader: pa.RecordBatchReader, doing: str) -> Iterator[pa.RecordBatch]:
    with named_errors(DUCKDB_STREAM, doing):
        yield from reader


def _read_as(column: str, type_: Type | str) -> str:
    """The column in a query for rows; outlines as WKT, as every engine reads them."""
    name = quoted(column)
    return f"CAST({name} AS VARCHAR) AS {name}" if type_ is Type.GEOGRAPHY else name
