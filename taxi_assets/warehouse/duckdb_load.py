"""Load a Parquet file into a table of a DuckDB file, in the caller's transaction."""

from __future__ import annotations

import time

import duckdb

from taxi_assets.datasets.month import Month
from taxi_assets.errors import AuditFailed
from taxi_assets.warehouse.base import Load, Loaded
from taxi_assets.warehouse.duckdb_schema import FIELD_TYPES, ensure_table, month_filter, quoted
from taxi_assets.warehouse.sources import check_file, check_month, footer_of
from taxi_assets.warehouse.tables import SOURCE_MONTH

__all__ = ["replace_rows"]


def replace_rows(connection: duckdb.DuckDBPyConnection, load: Load, month: Month | None) -> Loaded:
    """Replace the month's rows, or all of a table that is not monthly; the caller commits.

    Raises ``AuditFailed`` for a row of another month.
    """
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
        wrong = connection.execute(
            f"SELECT count(*) FROM read_parquet(?) WHERE {SOURCE_MONTH} IS DISTINCT FROM ?",
            [str(path), month and month.first_day],
        ).fetchone()
        if wrong and wrong[0]:
            rows = "row has" if wrong[0] == 1 else "rows have"
            raise AuditFailed(
                f"Cannot load {table.name} {month}: {wrong[0]} {rows} another {SOURCE_MONTH}. "
                "Nothing was loaded.",
                "Clean the month again.",
            )
    row = connection.execute(
        f"INSERT INTO {quoted(table.name)} ({columns}) SELECT {casts} FROM read_parquet(?)",
        [str(path)],
    ).fetchone()
    assert row is not None
    return Loaded(rows=int(row[0]), seconds=time.monotonic() - started)
