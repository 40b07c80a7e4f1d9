"""The columns of a month's file as CSV, which TLC published before its Parquet.

TLC replaced its CSV files by Parquet in May 2022. Mirrors still have them, such as that of the Data
Engineering Zoomcamp (2019-01 to 2021-07, compressed). Their names differ from the Parquet ones, and
they lack columns that TLC added when it converted the months. What differs is stated here;
everything else, and so the table, is the specification's.

Sources: the heads of TLC's CSV files of 2019-01 to 2020-06, and the mirror's files,
https://github.com/DataTalksClub/nyc-tlc-data/releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.spec import Column, DatasetSpec

__all__ = ["in_format"]


@dataclass(frozen=True, slots=True)
class _Csv:
    """How CSV differs: more names, by canonical column, and what is absent or without use."""

    names: Mapping[str, str]
    absent: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()


_CSV: Final[Mapping[str, _Csv]] = {
    "yellow": _Csv({}, absent=frozenset({"airport_fee"})),
    "green": _Csv({}),
    # Both spellings occur. Before 2020-07 the files do not say which base the vehicle belongs to.
    "fhv": _Csv(
        {
            "dropoff_at": "dropoff_datetime",
            "pickup_zone_id": "PULocationID",
            "dropoff_zone_id": "DOLocationID",
        },
        absent=frozenset({"affiliated_base_num"}),
    ),
    # Its SR_Flag is neither flag of the table: Lyft set it on requests for a shared ride, the
    # others on rides that were shared.
    "fhvhv": _Csv(
        {},
        absent=frozenset(
            {
                "originating_base_num",
                "request_at",
                "on_scene_at",
                "trip_distance",
                "trip_seconds",
                "base_passenger_fare",
                "tolls",
                "black_car_fund",
                "sales_tax",
                "congestion_surcharge",
                "airport_fee",
                "tips",
                "driver_pay",
                "shared_request_flag",
                "shared_match_flag",
                "access_a_ride_flag",
                "wav_request_flag",
                "wav_match_flag",
            }
        ),
        ignored=("SR_Flag",),
    ),
}


def in_format(spec: DatasetSpec, file_format: FileFormat) -> DatasetSpec:
    """``spec`` for files of that format: the same columns and rules, with the names of its files.

    What CSV may lack is NULL there.
    """
    if not file_format.is_csv:
        return spec
    csv = _CSV[spec.name]
    return replace(
        spec,
        columns=tuple(_column(csv, column) for column in spec.columns),
        ignored=(*spec.ignored, *csv.ignored),
    )


def _column(csv: _Csv, column: Column) -> Column:
    more = csv.names.get(column.name)
    return replace(
        column,
        published_as=(*column.published_as, more) if more else column.published_as,
        required=column.required and column.name not in csv.absent,
    )
