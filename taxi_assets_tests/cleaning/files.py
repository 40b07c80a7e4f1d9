"""Small published files for the cleaning tests."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.cleaning import CleanedMonth, clean_month
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Column, DatasetSpec, Rule, Type

JANUARY = Month(2024, 1)


def spec(
    *columns: Column, rules: tuple[Rule, ...] = (), ignored: tuple[str, ...] = ()
) -> DatasetSpec:
    """A dataset with a pickup time and those columns."""
    pickup = Column("pickup_at", Type.TIMESTAMP, "When.", published_as=("Pickup", "pickup"))
    return DatasetSpec(
        name="boat",
        title="Boat trips",
        description="Trips by boat.",
        first_month=Month(2020, 1),
        pickup="pickup_at",
        columns=(pickup, *columns),
        rules=rules,
        max_reject_share=0.5,
        cluster_by=("pickup_at",),
        dictionary_url="https://example.org/boats.pdf",
        ignored=ignored,
    )


def column(type_: Type, **more: Any) -> Column:
    """The column ``value``, published as ``value`` by default."""
    return Column("value", type_, "A value.", **{"published_as": ("value",), **more})


def publish(folder: Path, values: pa.Array, *, pickup: str = "Pickup") -> Path:
    """A January file with those values, one trip a minute."""
    times = pa.array(
        [datetime(2024, 1, 2, 3, minute % 60) for minute in range(len(values))],  # noqa: DTZ001
        pa.timestamp("us"),
    )
    path = folder / "boat_tripdata_2024-01.parquet"
    pq.write_table(pa.table({pickup: times, "value": values}), path)
    return path


def clean(spec: DatasetSpec, source: Path, month: Month = JANUARY, **more: Any) -> CleanedMonth:
    return clean_month(spec, month, source, source.parent / "cleaned", **more)


def values_of(folder: Path, column: Column, values: pa.Array) -> list[Any]:
    """The cleaned values of that column, in the order of the file."""
    cleaned = clean(spec(column), publish(folder, values))
    rows = pq.read_table(cleaned.trips, columns=["pickup_at", "value"])
    assert cleaned.counts.rejected == 0
    return list(rows.sort_by("pickup_at")["value"].to_pylist())
