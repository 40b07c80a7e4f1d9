"""Metered trips: the rows of yellow and green in every era, with the errors of TLC's files.

Pickups outside the month, dropoffs before pickups and totals that are not the sum of their parts
are generated here, the errors of meters in ``meter_faults``.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from taxi_assets.datasets.month import Month
from taxi_assets.simulator import clock, meter_faults, places
from taxi_assets.simulator.tariffs import Tariff, tariff_of
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

__all__ = ["name_of", "taxi_rows"]

# From the published name, lower-cased and without the tpep or lpep prefix, to the name used here.
_ALIASES = {
    "vendor_name": "vendor",
    "vendor_id": "vendor",
    "vendorid": "vendor",
    "trip_pickup_datetime": "pickup",
    "pickup_datetime": "pickup",
    "trip_dropoff_datetime": "dropoff",
    "dropoff_datetime": "dropoff",
    "start_lon": "pickup_longitude",
    "start_lat": "pickup_latitude",
    "end_lon": "dropoff_longitude",
    "end_lat": "dropoff_latitude",
    "rate_code": "rate",
    "ratecodeid": "rate",
    "store_and_forward": "stored",
    "store_and_fwd_flag": "stored",
    "fare_amt": "fare",
    "fare_amount": "fare",
    "surcharge": "extra",
    "tip_amt": "tip",
    "tip_amount": "tip",
    "tolls_amt": "tolls",
    "tolls_amount": "tolls",
    "total_amt": "total",
    "total_amount": "total",
}

# Payments in this order: credit card, cash, no charge, dispute.
_CREDIT = 0
_PAYMENT_SHARES = (0.66, 0.32, 0.013, 0.007)
# The spellings of each payment, in that order; the most common first.
_SPELLED_2009 = (("Credit", "CREDIT"), ("CASH", "Cash"), ("No Charge",), ("Dispute",))
_SPELLED_2010 = (("CRE", "Cre", "CRD"), ("CAS", "Cas", "CSH"), ("NOC", "No "), ("DIS", "NA "))
# A few high-volume services and e-hail apps request taxis; most trips have no source.
_SOURCES = ("HV0003", "A", "CC", "EH0004", "HV0005", "EH0010")
_SOURCE_SHARES = (0.6, 0.2, 0.12, 0.04, 0.03, 0.01)
_CODES_SINCE = 2011  # codes instead of words, zones instead of coordinates

_STANDARD, _JFK, _NEGOTIATED = 1, 2, 5


def name_of(published: str) -> str:
    """The name that a published column has in :func:`taxi_rows`."""
    bare = published.lower().removeprefix("tpep_").removeprefix("lpep_")
    return _ALIASES.get(bare, bare)


def taxi_rows(
    rng: np.random.Generator, dataset: str, month: Month, schema: pa.Schema, pickup: Integers
) -> Frame:
    """One trip per pickup (seconds, ordered), as a frame with the columns of every era.

    ``schema`` has the surcharges of the month: a null-typed one is not charged.
    """
    count = len(pickup)
    charged = {name_of(f.name) for f in schema if not pa.types.is_null(f.type)}
    tariff = tariff_of(dataset, month)
    frame, duration = _journeys(rng, month, pickup)
    payment = pick(rng, count, _PAYMENT_SHARES)
    frame |= _amounts(rng, frame, duration, payment, tariff=tariff, charged=charged)
    frame |= _details(rng, dataset, month, payment)
    frame["__index_level_0__"] = Values(rng.permutation(count).astype(np.int64))
    meter_faults.corrupt_distances(rng, frame)
    if month.year >= 2019:
        meter_faults.clear_details(rng, dataset, month, frame)
    meter_faults.add_reversals(rng, frame, words=month.year < _CODES_SINCE)
    return frame


def _journeys(rng: np.random.Generator, month: Month, pickup: Integers) -> tuple[Frame, Integers]:
    """Times, zones, coordinates and miles; and the duration of each trip in seconds."""
    count = len(pickup)
    miles = cents(np.clip(rng.lognormal(0.7, 0.8, count), 0.1, 45.0))
    duration = (miles / rng.uniform(8.0, 18.0, count) * clock.HOUR + 90).astype(np.int64)
    duration[a_few(rng, count, share=0.001, at_least=1)] = clock.DAY - 137  # the meter was left on
    dropoff = clock.after(rng, month, pickup, duration)
    backwards = a_few(rng, count, share=0.0002, at_least=2)
    dropoff[backwards] = pickup[backwards] - rng.integers(1, 1200, len(backwards))
    clock.move_out_of_month(rng, month, [pickup, dropoff])
    start, end = (places.draw_coordinates(rng, count) for _ in range(2))
    frame = {
        "pickup": Values(pickup, is_time=True),
        "dropoff": Values(dropoff, is_time=True),
        "trip_distance": Values(miles),
        "pulocationid": Values(places.draw_zones(rng, count)),
        "dolocationid": Values(places.draw_zones(rng, count)),
        "pickup_longitude": Values(start[0]),
        "pickup_latitude": Values(start[1]),
        "dropoff_longitude": Values(end[0]),
        "dropoff_latitude": Values(end[1]),
    }
    return frame, duration


def _amounts(
    rng: np.random.Generator,
    frame: Frame,
    duration: Integers,
    payment: Codes,
    *,
    tariff: Tariff,
    charged: set[str],
) -> Frame:
    """Every amount in dollars, and the rate code of the fare."""
    count = len(duration)
    rate = np.array([_STANDARD, _JFK, 3, 4, _NEGOTIATED, 6, 99])[
        pick(rng, count, (0.94, 0.03, 0.003, 0.003, 0.022, 0.001, 0.001))
    ]
    fare = tariff.initial + tariff.per_mile * frame["trip_distance"].data
    fare += tariff.per_minute * np.minimum(duration, clock.HOUR) / 60
    fare = np.rint(fare * 10) / 10
    fare[rate == _JFK] = tariff.to_airport
    fare[rate == _NEGOTIATED] = cents(rng.uniform(8.0, 120.0, int((rate == _NEGOTIATED).sum())))
    at_airport = places.is_airport(frame["pulocationid"].data)
    amounts = {
        "fare": fare,
        "extra": _extra(frame["pickup"].data),
        "mta_tax": np.full(count, tariff.mta_tax),
        "tolls": np.where(chance(rng, count, 0.04), 6.55, 0.0),
        "improvement_surcharge": np.full(count, tariff.improvement),
        "congestion_surcharge": np.where(chance(rng, count, 0.85), tariff.congestion, 0.0),
        "airport_fee": np.where(at_airport, tariff.airport, 0.0),
        "cbd_congestion_fee": np.where(chance(rng, count, 0.6), tariff.cbd, 0.0),
    }
    due = sum((a for name, a in amounts.items() if name in charged), start=np.zeros(count))
    tipped = (payment == _CREDIT) & chance(rng, count, 0.95)
    amounts["tip"] = np.where(tipped, cents(due * rng.choice([0.1, 0.2, 0.25, 0.3], count)), 0.0)
    # In one of 200 rows the total is not the sum of its parts.
    odd = np.where(chance(rng, count, 0.005), rng.choice([-1.0, 2.5], count), 0.0)
    amounts["total"] = due + amounts["tip"] + odd
    result = {name: Values(cents(amount)) for name, amount in amounts.items()}
    result["rate"] = Values(rate)
    if tariff.mta_tax == 0.0:
        result["mta_tax"].nulls = np.ones(count, dtype=np.bool_)  # the tax began in 2009-11
    return result


def _extra(pickup: Integers) -> Floats:
    """Fifty cents at night, a dollar in the evening rush hour of a weekday."""
    hour = pickup // clock.HOUR % 24
    weekday = (pickup // clock.DAY + 3) % 7  # 1970-01-01 was a Thursday
    rush = (hour >= 16) & (hour < 20) & (weekday < 5)
    night = (hour >= 20) | (hour < 6)
    extra: Floats = np.where(rush, 1.0, np.where(night, 0.5, 0.0))
    return extra


def _details(rng: np.random.Generator, dataset: str, month: Month, payment: Codes) -> Frame:
    """Vendor, passengers, payment and flags, coded as in the month's era."""
    count = len(payment)
    passengers = np.array([1, 2, 3, 4, 5, 6, 0, 9])[
        pick(rng, count, (0.72, 0.14, 0.04, 0.025, 0.04, 0.025, 0.0095, 0.0005))
    ]
    frame = {
        "passenger_count": Values(passengers),
        "ehail_fee": Values(np.zeros(count), np.ones(count, dtype=np.bool_)),
        "trip_type": Values(np.where(chance(rng, count, 0.97), 1, 2), chance(rng, count, 5e-5)),
        "request_source": Values(
            pick(rng, count, _SOURCE_SHARES), chance(rng, count, 0.8), words=_SOURCES
        ),
    }
    if month.year < _CODES_SINCE:
        return frame | _spelled_out(rng, month, payment)
    vendors = np.array([2, 1, 6, 7])
    shares = (0.77, 0.228, 0.002, 0.0 if month.year < 2025 or dataset == "green" else 0.01)
    frame["vendor"] = Values(vendors[pick(rng, count, shares)])
    frame["payment_type"] = Values(payment.astype(np.int64) + 1)
    frame["stored"] = Values(pick(rng, count, (0.995, 0.005)), words=("N", "Y"))
    return frame


def _spelled_out(rng: np.random.Generator, month: Month, payment: Codes) -> Frame:
    """The text codes of 2009 and 2010: vendors, payments, and flags that are often missing."""
    count = len(payment)
    spelled = _SPELLED_2009 if month.year == 2009 else _SPELLED_2010
    words = tuple(word for spellings in spelled for word in spellings)
    first = np.cumsum([0, *map(len, spelled)])[:-1].astype(np.int8)
    variants = np.array([len(spellings) for spellings in spelled], dtype=np.int8)
    variant = np.minimum(pick(rng, count, (0.7, 0.25, 0.05)), variants[payment] - 1)
    frame = {
        "vendor": Values(pick(rng, count, (0.48, 0.46, 0.06)), words=("CMT", "VTS", "DDS")),
        "payment_type": Values(first[payment] + variant, words=words),
    }
    missing = chance(rng, count, 0.5)
    if month.year == 2009:
        stored = chance(rng, count, 0.01).astype(np.float64)
        return frame | {"stored": Values(stored, missing)}
    flags = pick(rng, count, (0.7, 0.02, 0.27, 0.01))
    return frame | {"stored": Values(flags, missing, words=("0", "1", "N", "Y"))}
