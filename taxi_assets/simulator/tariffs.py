"""Fares, taxes and surcharges of taxi rides, with the months in which they changed."""

from __future__ import annotations

from dataclasses import dataclass

from taxi_assets.datasets.month import Month

__all__ = ["Tariff", "tariff_of"]


@dataclass(frozen=True, slots=True)
class Tariff:
    """Dollars per ride, except ``per_mile`` and ``per_minute``."""

    initial: float
    per_mile: float
    per_minute: float
    to_airport: float
    mta_tax: float
    improvement: float
    congestion: float
    airport: float
    cbd: float


def tariff_of(dataset: str, month: Month) -> Tariff:
    """The tariff of yellow or green taxis in ``month``."""
    raised = month >= Month(2022, 12)
    return Tariff(
        initial=3.0 if raised else 2.5,
        per_mile=_from(month, (Month(2022, 12), 3.5), (Month(2012, 9), 2.5), otherwise=2.0),
        per_minute=0.7 if raised else 0.5,
        to_airport=70.0 if raised else 52.0,
        mta_tax=_from(month, (Month(2009, 11), 0.5)),
        improvement=_from(month, (Month(2022, 12), 1.0), (Month(2015, 1), 0.3)),
        congestion=_from(month, (Month(2019, 2), 2.75 if dataset == "green" else 2.5)),
        airport=_from(month, (Month(2023, 4), 1.75), (Month(2020, 8), 1.25)),
        cbd=_from(month, (Month(2025, 1), 0.75)),
    )


def _from(month: Month, *steps: tuple[Month, float], otherwise: float = 0.0) -> float:
    """The amount of the first of ``steps`` that is not after ``month``; latest steps come first."""
    return next((amount for since, amount in steps if month >= since), otherwise)
