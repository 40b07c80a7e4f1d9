"""Pickup and dropoff times: demand over a month, and the two clock changes of a year.

All times are whole seconds since 1970-01-01 on the New York wall clock: naive, as published.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.values import Floats, Integers, a_few, chance

__all__ = ["DAY", "HOUR", "after", "demand_of", "move_out_of_month", "pickups"]

HOUR = 3600
DAY = 24 * HOUR

# Trips per hour of the day, from midnight; per day of the week, from Monday.
_BY_HOUR = (45, 32, 22, 15, 12, 14, 30, 52, 66, 66, 65, 68, 74, 75, 80, 84, 86, 95, 100, 92, 84, 82, 76, 62)  # fmt: skip  # noqa: E501
_BY_WEEKDAY = (0.88, 0.95, 1.0, 1.04, 1.08, 1.12, 0.93)


def pickups(
    rng: np.random.Generator, month: Month, demand: Floats, *, start: int, stop: int, rows: int
) -> Integers:
    """Pickups of rows ``start`` to ``stop`` (excluded) of a month with ``rows`` rows, in order."""
    share = (np.arange(start, stop) + rng.random(stop - start)) / rows
    offsets = np.interp(share, demand, np.arange(len(demand)) * float(HOUR)).astype(np.int64)
    last = (len(demand) - 1) * HOUR - 1
    within: Integers = seconds(month.first_day) + np.minimum(offsets, last)
    return within


def demand_of(rng: np.random.Generator, month: Month) -> Floats:
    """The cumulative share (0 to 1) of a month's trips at each full hour."""
    first, following = month.first_day, month.plus(1).first_day
    days = (following - first).days
    weekdays = np.array([(first + timedelta(days=day)).weekday() for day in range(days)])
    by_day = np.array(_BY_WEEKDAY)[weekdays] * rng.lognormal(0.0, 0.08, days)
    by_hour = (by_day[:, None] * np.array(_BY_HOUR, dtype=np.float64)).ravel()
    if month.month == 3:
        by_hour[(_clock_change(month) - seconds(first)) // HOUR] = 0.0  # 02:00 to 03:00 is skipped
    if month.month == 11:
        by_hour[(_clock_change(month) - seconds(first)) // HOUR - 1] *= 2  # 01:00 to 02:00 twice
    return np.concatenate([[0.0], np.cumsum(by_hour) / by_hour.sum()])


def after(rng: np.random.Generator, month: Month, begin: Integers, duration: Integers) -> Integers:
    """The wall clock time ``duration`` seconds after ``begin``.

    In the night of the autumn clock change it may be before ``begin``.
    """
    end = begin + duration
    if month.month == 3:
        change = _clock_change(month)
        end[(begin < change) & (end >= change)] += HOUR
    if month.month == 11:
        change = _clock_change(month)
        hour_before = begin < change - HOUR
        first_pass = (begin < change) & chance(rng, len(begin), 0.5)
        end[(hour_before | first_pass) & (end >= change)] -= HOUR
    return end


def move_out_of_month(rng: np.random.Generator, month: Month, times: list[Integers]) -> None:
    """Move a few trips out of the month, in place: into its neighbours, and one by years.

    ``times`` are the time columns of a trip; they move together.
    """
    rows = a_few(rng, len(times[0]), share=1e-5, at_least=3)
    if not len(rows):
        return
    days_in_month = (month.plus(1).first_day - month.first_day).days
    shifts = rng.choice(np.array([-days_in_month, days_in_month]), len(rows)) * DAY
    shifts[0] = -days_in_month * DAY
    shifts[1] = days_in_month * DAY
    shifts[2] = -int(rng.integers(6, 9)) * 365 * DAY
    for column in times:
        column[rows] += shifts


def _clock_change(month: Month) -> int:
    """02:00 of the clock change: on the second Sunday of March or the first of November."""
    sunday = 14 if month.month == 3 else 7
    latest = date(month.year, month.month, sunday)
    return seconds(latest - timedelta(days=(latest.weekday() + 1) % 7)) + 2 * HOUR


def seconds(day: date) -> int:
    """Midnight of ``day``."""
    return (day - date(1970, 1, 1)).days * DAY
