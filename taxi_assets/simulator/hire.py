"""Dispatched trips: the rows of fhv and fhvhv in every era, with the errors of TLC's files.

The errors: pickups outside the month, dropoffs before pickups, bases in lower case, with spaces
around them or empty, unknown zones, negative and zero pay, a trip_time that contradicts the
timestamps.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from taxi_assets.datasets.month import Month
from taxi_assets.simulator import clock, places
from taxi_assets.simulator.values import (
    Codes,
    Floats,
    Frame,
    Integers,
    Values,
    a_few,
    cents,
    chance,
    pick,
)

__all__ = ["fhv_rows", "fhvhv_rows", "name_of"]

# Until then bases reported where and when a trip began, but not its end.
_FHV_DROPOFFS_BEGIN = Month(2017, 6)
_FHV_BASES = (
    *(f"B{number:05d}" for number in range(7, 3000, 47)),
    "b00254",
    "B01312         ",
    " B00310",
    "",
)

# TLC's files have a time of 1989 where bases did not report a dropoff.
_NO_DROPOFF = np.datetime64("1989-01-01", "s").astype(np.int64)

# Licenses of Uber, Lyft, Via and Juno; each has one or more consecutive dispatching bases.
_COMPANIES = ("HV0003", "HV0005", "HV0004", "HV0002")
_UBER, _LYFT = 0, 1
_COMPANY_BASES = ("B02764", "B03404", "B02510", "B02800", "B02872", "B03136", "B02914")
_FIRST_BASE = np.array([0, 2, 5, 6], dtype=np.int8)
_BASES = np.array([2, 3, 1, 1], dtype=np.int8)

_SALES_TAX = 0.08875


def name_of(published: str) -> str:
    """The name that a published column has in the frames of this module."""
    return published.lower()


def fhv_rows(rng: np.random.Generator, month: Month, schema: pa.Schema, pickup: Integers) -> Frame:
    """One fhv trip per pickup (seconds, ordered), as a frame with the columns of every era.

    ``schema`` tells which zones are complete: pandas, which TLC used before 2023-02, wrote zones
    of which some are NULL as doubles.
    """
    count = len(pickup)
    duration = (rng.lognormal(6.7, 0.7, count) + 30).astype(np.int64)
    dropoff = clock.after(rng, month, pickup, duration)
    backwards = a_few(rng, count, share=0.0002, at_least=2)
    dropoff[backwards] = pickup[backwards] - rng.integers(1, 1200, len(backwards))
    clock.move_out_of_month(rng, month, [pickup, dropoff])
    no_end = np.full(count, month < _FHV_DROPOFFS_BEGIN)
    dropoff[no_end] = _NO_DROPOFF
    complete = {
        field.name for field in schema if pa.types.is_integer(field.type) and month < Month(2023, 2)
    }
    base = rng.integers(0, len(_FHV_BASES), count).astype(np.int8)
    affiliated = np.where(chance(rng, count, 0.7), base, rng.permutation(base))
    return {
        "dispatching_base_num": Values(base, words=_FHV_BASES),
        "pickup_datetime": Values(pickup, is_time=True),
        "dropoff_datetime": Values(dropoff, is_time=True),
        "pulocationid": Values(
            places.draw_zones(rng, count),
            chance(rng, count, 0.0 if "PUlocationID" in complete else 0.55),
        ),
        "dolocationid": Values(
            places.draw_zones(rng, count),
            chance(rng, count, 0.0 if "DOlocationID" in complete else 0.12) | no_end,
        ),
        "sr_flag": Values(np.ones(count), chance(rng, count, 0.9)),
        "affiliated_base_number": Values(affiliated, chance(rng, count, 0.02), words=_FHV_BASES),
    }


def fhvhv_rows(rng: np.random.Generator, month: Month, pickup: Integers) -> Frame:
    """One fhvhv trip per pickup (seconds, ordered), as a frame with the columns of every era."""
    company = _companies(rng, month, len(pickup))
    miles = np.rint(np.clip(rng.lognormal(1.1, 0.8, len(pickup)), 0.1, 90.0) * 1000) / 1000
    duration = (miles / rng.uniform(9.0, 22.0, len(pickup)) * clock.HOUR + 120).astype(np.int64)
    frame = _dispatch(rng, company)
    frame |= _course(rng, month, company, pickup, duration)
    frame |= _prices(rng, month, miles, duration, frame["pulocationid"].data)
    frame["trip_miles"] = Values(miles)
    miles[chance(rng, len(miles), 0.0005)] = 0.0
    return frame


def _companies(rng: np.random.Generator, month: Month, count: int) -> Codes:
    """Which company drove: Juno closed in 2019-11, Via in 2021-12."""
    via = 0.03 if month < Month(2022, 1) else 0.0
    juno = 0.03 if month < Month(2019, 12) else 0.0
    return pick(rng, count, (0.73, 0.27, via, juno))


def _dispatch(rng: np.random.Generator, company: Codes) -> Frame:
    """Licenses, bases and the flags of shared and accessible rides."""
    count = len(company)
    of_company = rng.integers(0, 1 << 15, count, dtype=np.int16) % _BASES[company]
    base = (_FIRST_BASE[company] + of_company).astype(np.int8)
    asked_to_share = chance(rng, count, 0.04)
    matched = asked_to_share & chance(rng, count, 0.4)
    wants_wheelchair = chance(rng, count, 0.002)
    took_wheelchair = wants_wheelchair | chance(rng, count, 0.05)
    yes_no = ("N", "Y")
    return {
        "hvfhs_license_num": Values(company, words=_COMPANIES),
        "dispatching_base_num": Values(base, words=_COMPANY_BASES),
        "originating_base_num": Values(base.copy(), company == _LYFT, words=_COMPANY_BASES),
        "shared_request_flag": Values(asked_to_share.astype(np.int8), words=yes_no),
        "shared_match_flag": Values(matched.astype(np.int8), words=yes_no),
        # Uber has a blank where the others have N.
        "access_a_ride_flag": Values((company == _UBER).astype(np.int8), words=("N", " ")),
        "wav_request_flag": Values(wants_wheelchair.astype(np.int8), words=yes_no),
        "wav_match_flag": Values(took_wheelchair.astype(np.int8), words=yes_no),
    }


def _course(
    rng: np.random.Generator,
    month: Month,
    company: Codes,
    pickup: Integers,
    duration: Integers,
) -> Frame:
    """The times of request, arrival, pickup and dropoff, and the zones."""
    count = len(pickup)
    waited = rng.integers(0, 120, count)
    driven = rng.integers(60, 700, count)
    dropoff = clock.after(rng, month, pickup, duration)
    backwards = a_few(rng, count, share=0.00005, at_least=2)
    dropoff[backwards] = pickup[backwards] - rng.integers(1, 1200, len(backwards))
    on_scene = pickup - waited
    request = on_scene - driven
    clock.move_out_of_month(rng, month, [pickup, dropoff, on_scene, request])
    trip_time = duration.copy()
    contradicting = a_few(rng, count, share=0.0005, at_least=2)
    trip_time[contradicting] += 2 * clock.HOUR
    # Lyft does not report when a car arrived.
    return {
        "request_datetime": Values(request, is_time=True),
        "on_scene_datetime": Values(on_scene, company == _LYFT, is_time=True),
        "pickup_datetime": Values(pickup, is_time=True),
        "dropoff_datetime": Values(dropoff, is_time=True),
        "trip_time": Values(trip_time),
        "pulocationid": Values(places.draw_zones(rng, count)),
        "dolocationid": Values(places.draw_zones(rng, count)),
    }


def _prices(
    rng: np.random.Generator, month: Month, miles: Floats, duration: Integers, pickup_zone: Integers
) -> Frame:
    """The passenger's payments and the driver's pay, in dollars."""
    count = len(miles)
    busy = rng.uniform(0.85, 1.6, count)
    fare = cents((2.55 + 1.9 * miles + 0.0075 * duration) * busy)
    tolls = np.where(chance(rng, count, 0.06), 6.94, 0.0)
    tips = np.where(chance(rng, count, 0.17), cents(fare * 0.18), 0.0)
    pay = cents(fare * 0.78)
    refunded = a_few(rng, count, share=0.0004, at_least=2)
    fare[refunded] *= -1.0
    pay[a_few(rng, count, share=0.005, at_least=2)] = 0.0
    black_car_fund = 0.025 if month < Month(2022, 3) else 0.0275
    at_airport = places.is_airport(pickup_zone)
    return {
        "base_passenger_fare": Values(fare),
        "tolls": Values(tolls),
        "bcf": Values(cents((fare + tolls) * black_car_fund)),
        "sales_tax": Values(cents((fare + tolls) * _SALES_TAX)),
        "congestion_surcharge": Values(np.where(chance(rng, count, 0.37), 2.75, 0.0)),
        "airport_fee": Values(np.where(at_airport, 2.5, 0.0)),
        "tips": Values(tips),
        "driver_pay": Values(pay),
        "cbd_congestion_fee": Values(np.where(chance(rng, count, 0.35), 1.5, 0.0)),
    }
