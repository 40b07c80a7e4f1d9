"""FHVHV: the high-volume for-hire services (Uber, Lyft, earlier Juno and Via), since 2019-02.

Before 2019-02 their trips are in ``fhv``. The services set their own prices, without a meter:
``base_passenger_fare`` is not a ``fare_amount``, ``tips`` are those given through the app, and
there is no total.

Source: TLC high volume FHV data dictionary, 2025-03-18, and the published files.
"""

from __future__ import annotations

from typing import Final

from taxi_assets.datasets import rules, shared
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.shared import published
from taxi_assets.datasets.spec import Action, Column, DatasetSpec, Rule, Type

__all__ = ["FHVHV"]


def _money(name: str, description: str, published_as: str) -> Column:
    return Column(name, Type.FLOAT, description, (published_as,), unit=shared.USD)


def _flag(name: str, question: str) -> Column:
    return Column(name, Type.STRING, question, (name,), values={"Y": "yes", "N": "no"})


LICENSE_NUM: Final = Column(
    "license_num",
    Type.STRING,
    "TLC license number of the high-volume service.",
    published_as=("hvfhs_license_num",),
    values={"HV0002": "Juno", "HV0003": "Uber", "HV0004": "Via", "HV0005": "Lyft"},
)
FLAGS: Final = (
    _flag("shared_request_flag", "Did the passenger agree to share the trip, matched or not?"),
    _flag("shared_match_flag", "Was the trip shared with a passenger who booked separately?"),
    _flag("access_a_ride_flag", "Was the trip made for the MTA? NULL if Uber reported nothing."),
    _flag("wav_request_flag", "Was a wheelchair-accessible vehicle requested?"),
    _flag("wav_match_flag", "Was the vehicle wheelchair-accessible? NULL before 2019-04."),
)


NEGATIVE_FARE: Final = Rule(
    name="negative_fare",
    action=Action.FLAG,
    description="The base fare is below zero: a refund.",
    condition="base_passenger_fare < 0",
)

FHVHV: Final = DatasetSpec(
    name="fhvhv",
    title="High-volume for-hire vehicle trips",
    description="Trips of services with over 10,000 trips a day, such as Uber and Lyft.",
    first_month=Month(2019, 2),
    pickup="pickup_at",
    columns=(
        LICENSE_NUM,
        published(shared.DISPATCHING_BASE_NUM, "dispatching_base_num"),
        Column(
            "originating_base_num",
            Type.STRING,
            "TLC license number of the base that received the request.",
            published_as=("originating_base_num",),
        ),
        Column(
            "request_at",
            Type.TIMESTAMP,
            "When the passenger requested the trip, on New York's wall clock.",
            published_as=("request_datetime",),
        ),
        Column(
            "on_scene_at",
            Type.TIMESTAMP,
            "When the driver arrived, on New York's wall clock; only for accessible vehicles,"
            " according to TLC's dictionary.",
            published_as=("on_scene_datetime",),
        ),
        published(shared.PICKUP_AT, "pickup_datetime"),
        published(shared.DROPOFF_AT, "dropoff_datetime"),
        published(shared.PICKUP_ZONE_ID, "PULocationID"),
        published(shared.DROPOFF_ZONE_ID, "DOLocationID"),
        published(shared.TRIP_DISTANCE, "trip_miles"),
        Column(
            "trip_seconds",
            Type.INTEGER,
            "Duration of the trip for the passenger, as the service reports it.",
            published_as=("trip_time",),
            unit="seconds",
        ),
        _money(
            "base_passenger_fare", "Fare before tolls, tips, taxes and fees.", "base_passenger_fare"
        ),
        _money("tolls", "All tolls paid on the trip.", "tolls"),
        _money("black_car_fund", "Collected for the Black Car Fund.", "bcf"),
        _money("sales_tax", "Collected for New York State's sales tax.", "sales_tax"),
        published(shared.CONGESTION_SURCHARGE, "congestion_surcharge"),
        published(
            shared.AIRPORT_FEE,
            "airport_fee",
            description=(
                "Fee for pickups and dropoffs at LaGuardia, Newark and JFK; NULL before 2019-07"
                " and in 2020-04 and 2020-10."
            ),
        ),
        published(shared.CBD_CONGESTION_FEE, "cbd_congestion_fee", since=shared.CBD_FEE_BEGINS),
        _money("tips", "All tips the passenger gave through the service.", "tips"),
        _money(
            "driver_pay",
            "Paid to the driver, without tolls and tips, net of commission, surcharges and taxes.",
            "driver_pay",
        ),
        *FLAGS,
    ),
    rules=(
        *rules.TIME_RULES,
        *rules.DISTANCE_RULES,
        NEGATIVE_FARE,
        rules.unknown_zone(),
        rules.ZONE_OUT_OF_RANGE,
        rules.unknown_code(LICENSE_NUM, *FLAGS),
    ),
    # 0 of a 1,000-row extract of 2020-04: the services' servers record the times, not meters.
    max_reject_share=0.01,
    cluster_by=("pickup_at", "pickup_zone_id"),
    dictionary_url=(
        "https://www.nyc.gov/assets/tlc/downloads/pdf/data_dictionary_trip_records_hvfhs.pdf"
    ),
    memory_heavy=True,
)
