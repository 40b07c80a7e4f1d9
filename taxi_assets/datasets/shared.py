"""Columns that at least two datasets share: one name, type, unit and meaning for each.

Add a column here when a second dataset publishes it. Each dataset lists its own published names
with ``published``, and the words that an era used for codes.

Sources: TLC's data dictionaries for yellow, green and high-volume FHV trips of 2025-03-18 and for
FHV trips. What they do not specify is noted in the column's description.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Column, Type

__all__ = [
    "AIRPORT_FEE",
    "CBD_CONGESTION_FEE",
    "CBD_FEE_BEGINS",
    "CONGESTION_SURCHARGE",
    "DEGREES",
    "DISPATCHING_BASE_NUM",
    "DROPOFF_AT",
    "DROPOFF_ZONE_ID",
    "EXTRA",
    "FARE_AMOUNT",
    "IMPROVEMENT_SURCHARGE",
    "MTA_TAX",
    "PASSENGER_COUNT",
    "PAYMENT_TYPE",
    "PICKUP_AT",
    "PICKUP_ZONE_ID",
    "RATE_CODE_ID",
    "REQUEST_SOURCE",
    "STORE_AND_FWD_FLAG",
    "TIP_AMOUNT",
    "TOLLS_AMOUNT",
    "TOTAL_AMOUNT",
    "TRIP_DISTANCE",
    "USD",
    "VENDORS",
    "VENDOR_ID",
    "published",
]

CBD_FEE_BEGINS: Final = Month(2025, 1)
USD: Final = "USD"
MILES: Final = "miles"
DEGREES: Final = "degrees, WGS 84"

VENDORS: Final[Mapping[int | str, str]] = {
    1: "Creative Mobile Technologies (CMT)",
    2: "Curb Mobility, earlier VeriFone (VTS)",
    6: "Myle Technologies",
    7: "Helix; sends no dropoff time of its own, in yellow it equals the pickup",
}
RATES: Final[Mapping[int | str, str]] = {
    1: "standard rate",
    2: "JFK",
    3: "Newark",
    4: "Nassau or Westchester",
    5: "negotiated fare",
    6: "group ride",
    99: "unknown",
}
PAYMENTS: Final[Mapping[int | str, str]] = {
    0: "flex fare trip",
    1: "credit card",
    2: "cash",
    3: "no charge",
    4: "dispute",
    5: "unknown",
    6: "voided trip",
}
STORE_AND_FORWARD: Final[Mapping[int | str, str]] = {
    "Y": "stored in the vehicle before it was sent, without a connection",
    "N": "sent immediately",
}


def published(
    concept: Column,
    *names: str,
    since: Month | None = None,
    until: Month | None = None,
    description: str | None = None,
) -> Column:
    """``concept`` as a column of one dataset, with its published names and months."""
    return replace(
        concept,
        published_as=names,
        since=since,
        until=until,
        description=description or concept.description,
    )


def _concept(name: str, type_: Type, description: str, unit: str | None = None) -> Column:
    return Column(name, type_, description, published_as=(), unit=unit)


def _money(name: str, description: str) -> Column:
    return _concept(name, Type.FLOAT, description, USD)


PICKUP_AT: Final = _concept(
    "pickup_at", Type.TIMESTAMP, "When the trip began, on New York's wall clock."
)
DROPOFF_AT: Final = _concept(
    "dropoff_at", Type.TIMESTAMP, "When the trip ended, on New York's wall clock."
)
PICKUP_ZONE_ID: Final = _concept(
    "pickup_zone_id",
    Type.INTEGER,
    "TLC taxi zone where the trip began; joins `taxi_zones.location_id`.",
)
DROPOFF_ZONE_ID: Final = _concept(
    "dropoff_zone_id",
    Type.INTEGER,
    "TLC taxi zone where the trip ended; joins `taxi_zones.location_id`.",
)
TRIP_DISTANCE: Final = _concept("trip_distance", Type.FLOAT, "Distance of the trip.", MILES)

VENDOR_ID: Final = replace(
    _concept("vendor_id", Type.INTEGER, "Technology provider that sent the record."),
    values=VENDORS,
)
PASSENGER_COUNT: Final = _concept(
    "passenger_count",
    Type.INTEGER,
    "Number of passengers, entered by the driver; NULL if the provider sent none.",
    "passengers",
)
RATE_CODE_ID: Final = replace(
    _concept("rate_code_id", Type.INTEGER, "Rate in effect at the end of the trip."),
    values=RATES,
)
STORE_AND_FWD_FLAG: Final = replace(
    _concept(
        "store_and_fwd_flag",
        Type.STRING,
        "Whether the record was stored in the vehicle before it was sent.",
    ),
    values=STORE_AND_FORWARD,
)
PAYMENT_TYPE: Final = replace(
    _concept("payment_type", Type.INTEGER, "How the passenger paid."),
    values=PAYMENTS,
)
FARE_AMOUNT: Final = _money("fare_amount", "Time-and-distance fare calculated by the meter.")
EXTRA: Final = _money("extra", "Extras and surcharges, such as rush hour and overnight.")
MTA_TAX: Final = _money("mta_tax", "MTA tax, triggered by the metered rate.")
TIP_AMOUNT: Final = _money("tip_amount", "Tip paid by card; cash tips are not recorded.")
TOLLS_AMOUNT: Final = _money("tolls_amount", "All tolls paid on the trip.")
IMPROVEMENT_SURCHARGE: Final = _money(
    "improvement_surcharge", "Charged at the flag drop since 2015; the column is older."
)
CONGESTION_SURCHARGE: Final = _money(
    "congestion_surcharge",
    "New York State's congestion surcharge, charged since 2019; the column may be older.",
)
CBD_CONGESTION_FEE: Final = _money(
    "cbd_congestion_fee", "MTA fee for trips in its Congestion Relief Zone, since 2025-01-05."
)
TOTAL_AMOUNT: Final = _money(
    "total_amount",
    "Total charged to the passenger, without cash tips; negative in the reversal of another row.",
)
AIRPORT_FEE: Final = _money("airport_fee", "Fee for trips at the airports.")

# The licenses are those of TLC's lists: HV of high-volume services, EH of e-hail apps.
REQUEST_SOURCE: Final = Column(
    "request_source",
    Type.STRING,
    "Who received the passenger's request; NULL in the rows for which TLC publishes no source.",
    published_as=("request_source",),
    since=Month(2026, 6),
    values={
        "HV0003": "Uber, by its license as a high-volume service",
        "HV0005": "Lyft, by its license as a high-volume service",
        "EH0004": "an e-hail app, by its license",
        "EH0010": "another e-hail app, by its license",
        "A": "published, but not described in TLC's dictionary",
        "CC": "published, but not described in TLC's dictionary",
    },
)

DISPATCHING_BASE_NUM: Final = _concept(
    "dispatching_base_num",
    Type.STRING,
    "TLC license number of the base that dispatched the vehicle.",
)
