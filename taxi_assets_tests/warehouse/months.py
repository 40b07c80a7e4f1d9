"""Small months to load, and tables read back as Python values, for the warehouse tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.warehouse.base import Load, Source, Warehouse
from taxi_assets.warehouse.tables import Table, TableColumn

JANUARY = Month(2024, 1)
FEBRUARY = Month(2024, 2)
MARCH = Month(2024, 3)

TRIPS = Table(
    "green_trips",
    "Green taxi trips, one partition per file month.",
    (
        TableColumn("pickup_at", Type.TIMESTAMP, "When the meter was engaged, New York time."),
        TableColumn("zone", Type.INTEGER, "TLC zone of the pickup."),
        TableColumn("fare", Type.FLOAT, "Fare in US dollars."),
        TableColumn("note", Type.STRING, "The driver's note: 'quoted', \"twice\"; 100 % ok."),
        TableColumn("shared", Type.BOOLEAN),
        TableColumn("source_month", Type.DATE, "The month of the file."),
    ),
    monthly=True,
    cluster_by=("pickup_at", "zone"),
)
REJECTS = replace(TRIPS, name="green_rejects")
Row = dict[str, Any]


def trip(zone: int, month: Month = JANUARY, **values: Any) -> Row:
    """A row of ``TRIPS``, identified by ``zone``."""
    row = {
        "pickup_at": datetime(2024, 1, 2, 3, 4, 5, 678901),  # noqa: DTZ001 - naive by design
        "zone": zone,
        "fare": 12.5,
        "note": None,
        "shared": None,
        "source_month": month.first_day,
    }
    return {**row, **values}


def trips(zones: Sequence[int], month: Month = JANUARY) -> list[Row]:
    return [trip(zone, month) for zone in zones]


def parquet(folder: Path, rows: Sequence[Row], table: Table = TRIPS) -> Source:
    """The rows as a Parquet file to load."""
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / f"{table.name}-{len(list(folder.iterdir()))}.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows), schema=table.arrow_schema), path)
    return Source(lambda: path)


def load(
    warehouse: Warehouse,
    folder: Path,
    rows: Sequence[Row],
    month: Month | None = JANUARY,
    table: Table = TRIPS,
    version: str | None = None,
) -> int:
    """Replace ``month`` of ``table`` by ``rows``; return the loaded number of rows."""
    (loaded,) = warehouse.replace([Load(table, parquet(folder, rows, table), version)], month)
    return loaded.rows


def rows_of(
    warehouse: Warehouse,
    table: str = TRIPS.name,
    *,
    months: Sequence[Month] | None = None,
    columns: Sequence[str] | None = None,
) -> list[Row]:
    """The rows that a reader gets, in any order."""
    with warehouse.read(table, months=months, columns=columns) as reader:
        return list(reader.read_all().to_pylist())


def zones_of(warehouse: Warehouse, months: Sequence[Month] | None = None) -> list[int]:
    """The sorted zones of ``green_trips``, which identify its rows."""
    return sorted(row["zone"] for row in rows_of(warehouse, months=months, columns=["zone"]))
