"""The published rows that ``golden`` cleans: generated rows of each era and edge cases.

Together they cover every rule of a dataset and every code and cast of an era. Add a row for a new
rule or cast that they do not cover.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Column, Type
from taxi_assets.simulator.eras import era_starts
from taxi_assets.simulator.months import write_month

GENERATED = 200


def published_months(dataset: str, folder: Path) -> Iterator[tuple[str, pa.Table]]:
    """The first month of each era by its name, such as ``green 2014-01``.

    The latest is added with all columns as text, since some months have some columns as text.
    ``folder`` is for temporary files.
    """
    months = era_starts(dataset)
    for month in months:
        rows = _published(dataset, month, folder)
        yield f"{dataset} {month}", pa.concat_tables([rows, _without_numbers(rows)])
        if month == months[-1]:
            text = [rows[name].cast(pa.string()) for name in rows.column_names]
            yield f"{dataset} {month} as text", pa.table(text, names=rows.column_names)


def _published(dataset: str, month: Month, folder: Path) -> pa.Table:
    path = folder / "generated.parquet"
    write_month(dataset, month, path, rows=GENERATED)
    generated = pq.read_table(path)
    columns = {
        name: column
        for column in DATASETS[dataset].columns
        for name in column.published_as
        if name in generated.column_names
    }
    usual = generated.slice(0, 1).to_pylist()[0]
    odd = [_as_published(trip, usual, columns, generated.schema) for trip in _odd_trips(month)]
    odd += [*_words(odd[0], columns, generated.schema), _padded(odd[0])]
    return pa.concat_tables([generated, pa.Table.from_pylist(odd, generated.schema)])


def _as_published(
    trip: Mapping[str, Any],
    usual: Mapping[str, Any],
    columns: Mapping[str, Column],
    schema: pa.Schema,
) -> dict[str, Any]:
    """A trip by published names; columns it does not give are as in ``usual``."""
    given = {
        name: _as(trip[column.name], schema.field(name).type)
        for name, column in columns.items()
        if column.name in trip
    }
    return {**usual, **given}


def _without_numbers(rows: pa.Table) -> pa.Table:
    """The first row with NaN, pandas' NULL, in every floating-point column."""
    return pa.table(
        {
            field.name: pa.array([math.nan], field.type)
            if pa.types.is_floating(field.type)
            else rows[field.name].slice(0, 1)
            for field in rows.schema
        }
    )


def _odd_trips(month: Month) -> Iterator[dict[str, Any]]:
    """Trips by canonical names: the first is normal, each other is unusual in one way."""
    noon = datetime.combine(month.first_day, datetime.min.time()) + timedelta(days=14, hours=12)
    last_month, long_ago = noon - timedelta(days=20), noon - timedelta(days=60)
    usual = {
        "pickup_at": noon,
        "dropoff_at": noon + timedelta(minutes=20),
        "pickup_zone_id": 74,
        "dropoff_zone_id": 263,
        "trip_distance": 2.5,
        "passenger_count": 1,
        "total_amount": 17.5,
        "base_passenger_fare": 17.5,
        "pickup_longitude": -73.98,
        "pickup_latitude": 40.75,
        "dropoff_longitude": -73.97,
        "dropoff_latitude": 40.76,
    }
    odd: list[dict[str, Any]] = [
        {},
        {"pickup_at": None},
        {"pickup_at": last_month, "dropoff_at": last_month + timedelta(minutes=20)},
        {"pickup_at": long_ago, "dropoff_at": long_ago + timedelta(minutes=20)},
        {"dropoff_at": noon - timedelta(minutes=30)},
        {"dropoff_at": noon - timedelta(hours=2)},
        {"dropoff_at": noon},
        {"dropoff_at": noon + timedelta(hours=13)},
        {"trip_distance": 0.0},
        {"trip_distance": -1.0},
        {"trip_distance": 244_152.01},
        {"total_amount": -17.5},
        {"base_passenger_fare": -0.01},
        {"passenger_count": 0},
        {"passenger_count": None},
        {"pickup_zone_id": 264},
        {"dropoff_zone_id": None},
        {"dropoff_zone_id": 266},
        {"pickup_longitude": 0.0, "pickup_latitude": 0.0},
    ]
    yield from ({**usual, **each} for each in odd)


def _words(
    usual: Mapping[str, Any], columns: Mapping[str, Column], schema: pa.Schema
) -> Iterator[dict[str, Any]]:
    """Rows with each published word of a code and with none, in files that have it as text."""
    for name, column in columns.items():
        kind = schema.field(name).type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            yield from ({**usual, name: word} for word in column.codes)
            if column.type is Type.STRING:
                yield from ({**usual, name: word} for word in ("*", " "))


def _padded(usual: Mapping[str, Any]) -> dict[str, Any]:
    """The row with text padded and in upper case, as some bases and vendors wrote it."""
    return {
        name: f" {value.upper()} " if isinstance(value, str) else value
        for name, value in usual.items()
    }


def _as(value: Any, kind: pa.DataType) -> Any:
    """``value`` in a column of type ``kind``."""
    if value is None or pa.types.is_null(kind):
        return None
    if pa.types.is_integer(kind):
        return int(value)
    if pa.types.is_floating(kind):
        return float(value)
    return str(value) if not pa.types.is_timestamp(kind) else value
