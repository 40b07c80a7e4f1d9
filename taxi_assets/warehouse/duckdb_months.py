"""``loaded_months`` in a DuckDB file, written in the transaction that replaces the rows.

So the records match the rows in a file that was copied, restored or left by a killed process.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from taxi_assets.datasets.month import Month
from taxi_assets.warehouse.base import Load, Loaded, LoadedMonth
from taxi_assets.warehouse.duckdb_schema import columns_of, ensure_table, quoted
from taxi_assets.warehouse.months import LOADED_MONTHS, records
from taxi_assets.warehouse.tables import SOURCE_MONTH

__all__ = ["forget", "loaded", "loaded_months", "origins", "record", "unrecorded_months"]


def record(
    connection: duckdb.DuckDBPyConnection,
    loads: Sequence[Load],
    done: Sequence[Loaded],
    month: Month,
) -> None:
    """Replace the month's records by those of these loads."""
    ensure_table(connection, LOADED_MONTHS)
    columns = ", ".join(LOADED_MONTHS.column_names)
    for each in records(loads, done, month):
        connection.execute(
            "DELETE FROM loaded_months WHERE table_name = ? AND source_month = ?", each[:2]
        )
        connection.execute(f"INSERT INTO loaded_months ({columns}) VALUES (?, ?, ?, ?, ?, ?)", each)


def forget(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Delete all records of that table."""
    if _is_monthly(connection, LOADED_MONTHS.name):
        connection.execute("DELETE FROM loaded_months WHERE table_name = ?", [table])


def loaded(connection: duckdb.DuckDBPyConnection, table: str, month: Month) -> LoadedMonth | None:
    """The month's record, if its row count matches the table."""
    if not (_is_monthly(connection, LOADED_MONTHS.name) and _is_monthly(connection, table)):
        return None
    row = connection.execute(
        "SELECT version, row_count FROM loaded_months "
        "WHERE table_name = $table AND source_month = $month AND row_count = "
        f"(SELECT count(*) FROM {quoted(table)} WHERE source_month = $month)",
        {"table": table, "month": month.first_day},
    ).fetchone()
    return LoadedMonth(*row) if row else None


def loaded_months(connection: duckdb.DuckDBPyConnection, table: str) -> dict[Month, LoadedMonth]:
    """All records of that table."""
    if not _is_monthly(connection, LOADED_MONTHS.name):
        return {}
    rows = connection.execute(
        "SELECT source_month, version, row_count FROM loaded_months WHERE table_name = ?", [table]
    ).fetchall()
    return {Month.of(day): LoadedMonth(version, count) for day, version, count in rows}


def origins(connection: duckdb.DuckDBPyConnection) -> list[str | None]:
    """The origins in all records; none before an earlier release's table has the column."""
    if "origin" not in dict(columns_of(connection, LOADED_MONTHS.name)):
        return []
    rows = connection.execute("SELECT DISTINCT origin FROM loaded_months").fetchall()
    return [origin for (origin,) in rows]


def unrecorded_months(connection: duckdb.DuckDBPyConnection, table: str) -> list[Month]:
    """Months with rows but no record; reads only the column ``source_month``."""
    if not _is_monthly(connection, table):
        return []
    rows = connection.execute(
        f"SELECT DISTINCT source_month FROM {quoted(table)} WHERE source_month IS NOT NULL"
    ).fetchall()
    return sorted({Month.of(day) for (day,) in rows} - loaded_months(connection, table).keys())


def _is_monthly(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return SOURCE_MONTH in dict(columns_of(connection, table))
