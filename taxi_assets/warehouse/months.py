"""The table ``loaded_months``: which version of each month the monthly tables contain.

It is in the warehouse itself, so that it is copied, restored and dropped together with the rows;
Dagster's event log only has what was loaded at some time, not what the tables contain now. Each
engine writes it with the rows (``duckdb_months``, ``postgres_months``, ``bigquery_months``) and
uses a record only while it matches the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.warehouse.base import Load, Loaded
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table, TableColumn

__all__ = ["LOADED_MONTHS", "records"]

LOADED_MONTHS = Table(
    "loaded_months",
    "Which version of each month the tables of this warehouse contain; written by every load.",
    (
        TableColumn("table_name", Type.STRING, "The table that was loaded."),
        TableColumn(SOURCE_MONTH, Type.DATE, "The month of the file, by its first day."),
        TableColumn("version", Type.STRING, "The version of the rows; NULL if they have none."),
        TableColumn(
            "row_count",
            Type.INTEGER,
            "Rows loaded; NULL before the load, where it is recorded too.",
        ),
        TableColumn("loaded_at", Type.TIMESTAMP, "When they were loaded, UTC."),
        TableColumn(
            "origin",
            Type.STRING,
            "Whose file the rows are from: tlc, mirror or simulator; NULL if that is not known.",
        ),
    ),
    monthly=False,
)

Record = tuple[str, date, str | None, int, datetime, str | None]


def records(loads: Sequence[Load], loaded: Sequence[Loaded], month: Month) -> list[Record]:
    """The records of these loads, in the order of the table's columns."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return [
        (load.table.name, month.first_day, load.version, each.rows, now, load.origin)
        for load, each in zip(loads, loaded, strict=True)
    ]
