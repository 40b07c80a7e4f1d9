"""Yellow: the medallion taxis, since 2009.

The column names have three eras: 2009, 2010, and all months since 2011. The first two have
coordinates and text codes, the last has zones and numeric codes. Their types change more often: a
column is null-typed in a month without any value, and doubles where whole numbers are missing.

``surcharge`` of 2009 and 2010 is ``extra``: TLC's CSV files of 2011 to 2014 still called it
``surcharge`` where the Parquet files of the same months say ``extra``, with the same values of 0,
0.5 and 1 dollar for rush hour and night.

Source: TLC yellow data dictionary, 2025-03-18, and the published files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from taxi_assets.datasets import rules, shared
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.shared import published
from taxi_assets.datasets.spec import Action, Column, DatasetSpec, Rule, Type

__all__ = ["YELLOW"]

COORDINATES_END: Final = Month(2010, 12)
ZONES_BEGIN: Final = Month(2011, 1)

# VTS became VeriFone, then Curb. TLC has used numbers since 2011 (CMT is 1, VTS is 2), when DDS no
# longer sent records, so DDS has no number from TLC.
VENDOR_CODES: Final[Mapping[str, int]] = {"cmt": 1, "vts": 2, "dds": 3}
VENDORS: Final[Mapping[int | str, str]] = {
    **shared.VENDORS,
    3: "Digital Dispatch Systems (DDS), 2009-2010; a number of this platform, not TLC's",
}
# The text of 2009 (CASH, Cash, Credit, No Charge, Dispute) and of 2010 (CAS, CSH, CRE, CRD, NOC,
# "No ", DIS, UNK, "NA "), in any case; void is the word for 6 in TLC's dictionary.
PAYMENT_CODES: Final[Mapping[str, int]] = {
    "credit": 1,
    "cre": 1,
    "crd": 1,
    "cash": 2,
    "cas": 2,
    "csh": 2,
    "no charge": 3,
    "noc": 3,
    "no": 3,
    "dispute": 4,
    "dis": 4,
    "unknown": 5,
    "unk": 5,
    "na": 5,
    "void": 6,
    "voi": 6,
}
# 2009 and 2010 have 0 and 1 as well as N and Y, in some months as doubles.
STORE_AND_FORWARD_CODES: Final[Mapping[str, str]] = {"0": "N", "0.0": "N", "1": "Y", "1.0": "Y"}


def _coordinate(name: str, description: str, *names: str) -> Column:
    return Column(
        name,
        Type.FLOAT,
        description,
        published_as=names,
        unit=shared.DEGREES,
        until=COORDINATES_END,
    )


# The box around the city and its airports, Newark too; a meter without GPS sends 0, 0.
OUTSIDE_NYC: Final = Rule(
    name="outside_nyc",
    action=Action.FLAG,
    description=(
        "The pickup or dropoff is outside longitudes {west} to {east} and latitudes {south} to"
        " {north}, or is the 0, 0 of a meter without GPS (2009 and 2010 only)."
    ),
    condition=(
        "pickup_longitude NOT BETWEEN {west} AND {east}"
        " OR pickup_latitude NOT BETWEEN {south} AND {north}"
        " OR dropoff_longitude NOT BETWEEN {west} AND {east}"
        " OR dropoff_latitude NOT BETWEEN {south} AND {north}"
    ),
    thresholds={"west": -74.3, "east": -73.65, "south": 40.45, "north": 40.95},
)

YELLOW: Final = DatasetSpec(
    name="yellow",
    title="Yellow taxi trips",
    description="Trips of New York's medallion taxis, which can be hailed anywhere in the city.",
    first_month=Month(2009, 1),
    pickup="pickup_at",
    columns=(
        replace(
            published(shared.VENDOR_ID, "vendor_name", "vendor_id", "VendorID"),
            codes=VENDOR_CODES,
            values=VENDORS,
        ),
        published(
            shared.PICKUP_AT, "Trip_Pickup_DateTime", "pickup_datetime", "tpep_pickup_datetime"
        ),
        published(
            shared.DROPOFF_AT, "Trip_Dropoff_DateTime", "dropoff_datetime", "tpep_dropoff_datetime"
        ),
        published(shared.PASSENGER_COUNT, "Passenger_Count", "passenger_count"),
        published(shared.TRIP_DISTANCE, "Trip_Distance", "trip_distance"),
        published(shared.PICKUP_ZONE_ID, "PULocationID", since=ZONES_BEGIN),
        published(shared.DROPOFF_ZONE_ID, "DOLocationID", since=ZONES_BEGIN),
        _coordinate(
            "pickup_longitude", "Longitude of the pickup.", "Start_Lon", "pickup_longitude"
        ),
        _coordinate("pickup_latitude", "Latitude of the pickup.", "Start_Lat", "pickup_latitude"),
        _coordinate(
            "dropoff_longitude", "Longitude of the dropoff.", "End_Lon", "dropoff_longitude"
        ),
        _coordinate("dropoff_latitude", "Latitude of the dropoff.", "End_Lat", "dropoff_latitude"),
        published(shared.RATE_CODE_ID, "Rate_Code", "rate_code", "RatecodeID"),
        replace(
            published(shared.STORE_AND_FWD_FLAG, "store_and_forward", "store_and_fwd_flag"),
            codes=STORE_AND_FORWARD_CODES,
        ),
        replace(
            published(shared.PAYMENT_TYPE, "Payment_Type", "payment_type"), codes=PAYMENT_CODES
        ),
        published(shared.FARE_AMOUNT, "Fare_Amt", "fare_amount"),
        published(shared.EXTRA, "surcharge", "extra"),
        published(shared.MTA_TAX, "mta_tax"),
        published(shared.TIP_AMOUNT, "Tip_Amt", "tip_amount"),
        published(shared.TOLLS_AMOUNT, "Tolls_Amt", "tolls_amount"),
        published(shared.IMPROVEMENT_SURCHARGE, "improvement_surcharge", since=ZONES_BEGIN),
        published(shared.CONGESTION_SURCHARGE, "congestion_surcharge", since=ZONES_BEGIN),
        published(
            shared.AIRPORT_FEE,
            "airport_fee",
            "Airport_fee",
            since=ZONES_BEGIN,
            description=(
                "Fee for pickups at LaGuardia and JFK; NULL before the fee existed and in 2020-10."
            ),
        ),
        published(shared.CBD_CONGESTION_FEE, "cbd_congestion_fee", since=shared.CBD_FEE_BEGINS),
        published(shared.TOTAL_AMOUNT, "Total_Amt", "total_amount"),
        shared.REQUEST_SOURCE,
    ),
    rules=(
        *rules.TIME_RULES,
        *rules.DISTANCE_RULES,
        rules.NEGATIVE_AMOUNT,
        *rules.PASSENGER_RULES,
        rules.unknown_zone(pickups_since=ZONES_BEGIN, dropoffs_since=ZONES_BEGIN),
        rules.ZONE_OUT_OF_RANGE,
        rules.unknown_code(shared.STORE_AND_FWD_FLAG, shared.REQUEST_SOURCE),
        OUTSIDE_NYC,
    ),
    # 2024-01 has 18 pickups outside the month in 2,964,624 rows, not all far enough to be rejected.
    # A shifted time column still exceeds the limit.
    max_reject_share=0.01,
    unmeasured_until=Month(2018, 12),
    cluster_by=("pickup_at", "pickup_zone_id"),
    dictionary_url=(
        "https://www.nyc.gov/assets/tlc/downloads/pdf/data_dictionary_trip_records_yellow.pdf"
    ),
    # A pandas index, written by mistake in 2010-02 and 2010-03.
    ignored=("__index_level_0__",),
)
