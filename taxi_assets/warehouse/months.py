"""The table of months: which version of which month each monthly table holds.

It lies in the warehouse itself, beside the tables it speaks of, because only there is it copied,
restored and dropped together with their rows; Dagster's event log knows what was loaded once, not
what is there now. Each engine writes it with the rows (``duckdb_months``, ``postgres_months``,
``bigquery_months``) and believes a record only while the rows agree with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.warehouse.base import Load, Loaded
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table, TableColumn

__all__ = ["LOADED_MONTHS", "Record", "records"]

LOADED_MONTHS = Table(
    "loaded_months",
    "Which version of which month the tables of this warehouse hold; written by every load.",
    (
        TableColumn("table_name", Type.STRING, "The table that was loaded."),
        TableColumn(SOURCE_MONTH, Type.DATE, "The month of the file, by its first day."),
        TableColumn(
            "version", Type.STRING, "What the rows are; NULL for rows that have no version."
        ),
        TableColumn("row_count", Type.INTEGER, "Rows loaded."),
        TableColumn("loaded_at", Type.TIMESTAMP, "When they were loaded, UTC."),
    ),
    monthly=False,
)

Record = tuple[str, date, str | None, int, datetime]


def records(loads: Sequence[Load], loaded: Sequence[Loaded], month: Month) -> list[Record]:
    """What is to be recorded of these loads, in the order of the table's columns."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return [
        (load.table.name, month.first_day, load.version, each.rows, now)
        for load, each in zip(loads, loaded, strict=True)
    ]
