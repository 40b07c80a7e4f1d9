"""FHV: liveries, black cars and limousines, since 2015.

Trips of the high-volume services (``fhvhv``) before 2019-02 are in these files. All files have the
same seven columns, but bases had to report more over time: until 2017-05 a pickup time and at most
a pickup zone for most trips, dropoffs since 2017-06. What a base did not report is NULL.

Source: TLC FHV trip records data dictionary and the published files, whose size jumps from 4.4
bytes a row in 2017-05 to 9.1 in 2017-06.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from taxi_assets.datasets import rules, shared
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.shared import published
from taxi_assets.datasets.spec import Column, DatasetSpec, Type

__all__ = ["FHV"]

DROPOFFS_BEGIN: Final = Month(2017, 6)
_LATE: Final = f"Mostly NULL before {DROPOFFS_BEGIN}."

FHV: Final = DatasetSpec(
    name="fhv",
    title="For-hire vehicle trips",
    description="Trips of liveries, black cars and limousines, as their bases reported them.",
    first_month=Month(2015, 1),
    pickup="pickup_at",
    columns=(
        published(shared.DISPATCHING_BASE_NUM, "dispatching_base_num"),
        Column(
            "affiliated_base_num",
            Type.STRING,
            "TLC license number of the base the vehicle belongs to.",
            published_as=("Affiliated_base_number",),
        ),
        published(shared.PICKUP_AT, "pickup_datetime"),
        replace(
            published(
                shared.DROPOFF_AT,
                "dropOff_datetime",
                description=f"{shared.DROPOFF_AT.description} {_LATE}",
            ),
            # In every row of the months without dropoffs.
            nulls=("1989-01-01 00:00:00",),
        ),
        published(
            shared.PICKUP_ZONE_ID,
            "PUlocationID",
            description=f"{shared.PICKUP_ZONE_ID.description} NULL if the base reported none.",
        ),
        published(
            shared.DROPOFF_ZONE_ID,
            "DOlocationID",
            description=f"{shared.DROPOFF_ZONE_ID.description} {_LATE}",
        ),
        # Not shared_request_flag: Lyft set it on requests for a shared ride, Uber and Via only on
        # rides that were in fact shared.
        Column(
            "shared_ride_flag",
            Type.INTEGER,
            "Whether the trip was part of a shared-ride chain of a high-volume service;"
            " NULL before 2017-05 and from 2019-03 to 2023-01.",
            published_as=("SR_Flag",),
            values={1: "shared (Lyft: requested as shared); NULL otherwise"},
        ),
    ),
    rules=(
        *rules.TIME_RULES,
        rules.unknown_zone(dropoffs_since=DROPOFFS_BEGIN),
        rules.ZONE_OUT_OF_RANGE,
    ),
    # No full month was available to measure (0 of a 1,000-row extract of 2020-04). The limit is
    # higher because hundreds of bases report by hand or with their own software, without meters.
    max_reject_share=0.05,
    unmeasured_until=Month(2018, 12),
    cluster_by=("pickup_at", "pickup_zone_id"),
    dictionary_url=(
        "https://www.nyc.gov/assets/tlc/downloads/pdf/data_dictionary_trip_records_fhv.pdf"
    ),
)
