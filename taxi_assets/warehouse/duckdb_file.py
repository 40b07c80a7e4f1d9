"""One DuckDB file as the warehouse: the default on a laptop.

Belongs here: DuckDB's transactions, its single writer. Does not: DDL (``duckdb_schema``), any other
engine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
from typing_extensions import override

from taxi_assets.datasets.month import Month
from taxi_assets.errors import (
    AuditFailed,
    Misconfigured,
    ObjectMissing,
    WarehouseLocked,
)
from taxi_assets.warehouse import duckdb_months
from taxi_assets.warehouse.base import Load, Loaded, LoadedMonth, Warehouse
from taxi_assets.warehouse.duckdb_schema import (
    FIELD_TYPES,
    columns_of,
    ensure_table,
    month_filter,
    quoted,
)
from taxi_assets.warehouse.sources import check_file, check_month, footer_of
from taxi_assets.warehouse.tables import SOURCE_MONTH

_BATCH_ROWS = 131_072

# Between two looks at a file that others hold. Who reads in a loop leaves it free for moments only,
# and a look is cheap.
_LONGEST_PAUSE = 0.1

# How DuckDB says that somebody has the file: another process; a connection of this process that
# reads while this one would write, or the reverse; one of this process that is just closing.
_HELD = ("lock", "different config", "already attached")


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
        with self._connect(read_only=False) as connection:
            connection.execute("BEGIN")
            try:
                loaded = [_replace(connection, load, month) for load in loads]
                if month is not None:
                    duckdb_months.record(connection, loads, loaded, month)
                connection.execute("COMMIT")
            except BaseException as error:
                connection.execute("ROLLBACK")
                if isinstance(error, duckdb.OutOfMemoryException):
                    raise Misconfigured(
                        f"Loading {month or self.url} needs more than {self.memory_limit} "
                        f"({error}). Set TAXI_MEMORY_LIMIT higher. The tables are as they were."
                    ) from error
                if isinstance(error, duckdb.Error):
                    raise AuditFailed(
                        f"DuckDB refused the rows for {month or self.url} ({error}). The tables "
                        "are as they were; make the month again."
                    ) from error
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
        with self._connect(read_only=True) as connection:
            return duckdb_months.loaded(connection, table, month)

    @override
    def loaded_months(self, table: str) -> Mapping[Month, LoadedMonth]:
        if not self.path.exists():
            return {}
        with self._connect(read_only=True) as connection:
            return duckdb_months.loaded_months(connection, table)

    @override
    def unrecorded_months(self, table: str) -> list[Month]:
        if not self.path.exists():
            return []
        with self._connect(read_only=True) as connection:
            return duckdb_months.unrecorded_months(connection, table)

    @contextmanager
    def _read(
        self, table: str, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> Iterator[pa.RecordBatchReader]:
        missing = f"{self.url} has no table {table}; materialise the asset that writes it."
        if not self.path.exists():
            raise ObjectMissing(missing)
        with self._connect(read_only=True) as connection:
            have = [name for name, _ in columns_of(connection, table)]
            if not have:
                raise ObjectMissing(missing)
            unknown = sorted(set(columns or ()) - set(have))
            if unknown:
                raise ObjectMissing(f"{table} has no column {', '.join(unknown)}; it has {have}.")
            chosen = ", ".join(quoted(name) for name in columns or have)
            where, values = month_filter(months)
            query = f"SELECT {chosen} FROM {quoted(table)}{where}"
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
                return duckdb.connect(str(self.path), read_only=read_only, config=config)
            except (
                duckdb.IOException,
                duckdb.ConnectionException,
                duckdb.ResourceInUseException,
            ) as error:
                if not any(sign in str(error).lower() for sign in _HELD):
                    raise Misconfigured(f"{self.url} cannot be opened: {error}") from error
                if time.monotonic() > deadline:
                    raise WarehouseLocked(
                        f"{self.url} is held by another process (waited "
                        f"{self.patience_seconds:.0f} s): {error}. Close it there; DuckDB lets "
                        "one process write and, meanwhile, none read."
                    ) from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, _LONGEST_PAUSE)


def _replace(connection: duckdb.DuckDBPyConnection, load: Load, month: Month | None) -> Loaded:
    started = time.monotonic()
    table = load.table
    path = load.source.path()
    check_month(table, month)
    check_file(table, month, footer_of(path), str(path))
    ensure_table(connection, table)
    where, values = month_filter(None if month is None else [month])
    connection.execute(f"DELETE FROM {quoted(table.name)}{where}", values)
    columns = ", ".join(quoted(column.name) for column in table.columns)
    casts = ", ".join(
        f"CAST({quoted(column.name)} AS {FIELD_TYPES[column.type]})" for column in table.columns
    )
    if table.monthly:
        strays = connection.execute(
            f"SELECT count(*) FROM read_parquet(?) WHERE {SOURCE_MONTH} IS DISTINCT FROM ?",
            [str(path), month and month.first_day],
        ).fetchone()
        if strays and strays[0]:
            raise AuditFailed(
                f"{strays[0]} rows on their way into {table.name} have another {SOURCE_MONTH} "
                f"than {month}; nothing was loaded. Clean the month again."
            )
    row = connection.execute(
        f"INSERT INTO {quoted(table.name)} ({columns}) SELECT {casts} FROM read_parquet(?)",
        [str(path)],
    ).fetchone()
    assert row is not None
    return Loaded(rows=int(row[0]), seconds=time.monotonic() - started)
