"""Green: the street-hail liveries (boro taxis), since 2014.

The months of 2013 exist only as CSV and are not supported.

Source: TLC green data dictionary, 2025-03-18, and the published files.
"""

from __future__ import annotations

from typing import Final

from taxi_assets.datasets import rules, shared
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.shared import published
from taxi_assets.datasets.spec import Column, DatasetSpec, Type

__all__ = ["GREEN"]

GREEN: Final = DatasetSpec(
    name="green",
    title="Green taxi trips",
    description=(
        "Trips of the boro taxis, which may be hailed in northern Manhattan and the outer boroughs."
    ),
    first_month=Month(2014, 1),
    pickup="pickup_at",
    columns=(
        published(shared.VENDOR_ID, "VendorID"),
        published(shared.PICKUP_AT, "lpep_pickup_datetime"),
        published(shared.DROPOFF_AT, "lpep_dropoff_datetime"),
        published(shared.PASSENGER_COUNT, "passenger_count"),
        published(shared.TRIP_DISTANCE, "trip_distance"),
        published(shared.PICKUP_ZONE_ID, "PULocationID"),
        published(shared.DROPOFF_ZONE_ID, "DOLocationID"),
        published(shared.RATE_CODE_ID, "RatecodeID"),
        published(shared.STORE_AND_FWD_FLAG, "store_and_fwd_flag"),
        published(shared.PAYMENT_TYPE, "payment_type"),
        Column(
            "trip_type",
            Type.INTEGER,
            "Whether the taxi was hailed or dispatched; the meter derives it from the rate.",
            published_as=("trip_type",),
            values={1: "street hail", 2: "dispatch"},
        ),
        published(shared.FARE_AMOUNT, "fare_amount"),
        published(shared.EXTRA, "extra"),
        published(shared.MTA_TAX, "mta_tax"),
        published(shared.TIP_AMOUNT, "tip_amount"),
        published(shared.TOLLS_AMOUNT, "tolls_amount"),
        Column(
            "ehail_fee",
            Type.FLOAT,
            "Fee for hailing by app; in the file of every month, but nearly always NULL.",
            published_as=("ehail_fee",),
            unit=shared.USD,
        ),
        published(shared.IMPROVEMENT_SURCHARGE, "improvement_surcharge"),
        published(shared.CONGESTION_SURCHARGE, "congestion_surcharge"),
        published(shared.CBD_CONGESTION_FEE, "cbd_congestion_fee", since=shared.CBD_FEE_BEGINS),
        published(shared.TOTAL_AMOUNT, "total_amount"),
        shared.REQUEST_SOURCE,
    ),
    rules=(
        *rules.TIME_RULES,
        *rules.DISTANCE_RULES,
        rules.NEGATIVE_AMOUNT,
        *rules.PASSENGER_RULES,
        rules.unknown_zone(),
        rules.ZONE_OUT_OF_RANGE,
        rules.unknown_code(shared.STORE_AND_FWD_FLAG, shared.REQUEST_SOURCE),
    ),
    # 13 real months of 2020-03 to 2025-02 reject 20 of 957,241 rows, the worst month 0.014 %.
    max_reject_share=0.01,
    cluster_by=("pickup_at", "pickup_zone_id"),
    dictionary_url=(
        "https://www.nyc.gov/assets/tlc/downloads/pdf/data_dictionary_trip_records_green.pdf"
    ),
)
