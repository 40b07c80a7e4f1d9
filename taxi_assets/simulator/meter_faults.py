"""Errors of meters and vendors, applied to generated rows of yellow and green."""

from __future__ import annotations

import numpy as np

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.values import Frame, Mask, a_few, cents, chance

__all__ = ["add_reversals", "clear_details", "corrupt_distances"]

_MONEY = (
    "fare",
    "extra",
    "mta_tax",
    "tip",
    "tolls",
    "improvement_surcharge",
    "congestion_surcharge",
    "airport_fee",
    "cbd_congestion_fee",
    "total",
)


def corrupt_distances(rng: np.random.Generator, frame: Frame) -> None:
    """Set some distances to zero and a few far too high; the fares stay right."""
    miles = frame["trip_distance"].data
    count = len(miles)
    miles[chance(rng, count, 0.02)] = 0.0
    absurd = a_few(rng, count, share=0.0002, at_least=1)
    miles[absurd] = cents(rng.uniform(1_000.0, 200_000.0, len(absurd)))


def clear_details(rng: np.random.Generator, dataset: str, month: Month, frame: Frame) -> None:
    """Set everything that the meter reports to NULL in some rows.

    Their total still includes the congestion surcharge, whose column is NULL.
    """
    block = chance(rng, len(frame["total"].data), 0.2 if month.year >= 2025 else 0.06)
    hidden = ["passenger_count", "rate", "stored", "congestion_surcharge", "airport_fee"]
    if dataset == "green":
        hidden += ["payment_type", "trip_type"]
    else:
        frame["payment_type"].data[block] = 0
    for name in hidden:
        column = frame[name]
        column.nulls = block if column.nulls is None else column.nulls | block


def add_reversals(rng: np.random.Generator, frame: Frame, *, words: bool) -> None:
    """Add reversals: a copy of the row follows it, with every amount negative."""
    count = len(frame["total"].data)
    rows = a_few(rng, count // 2, share=0.008, at_least=2) * 2
    known: Mask = np.ones(len(rows), dtype=np.bool_)
    if frame["passenger_count"].nulls is not None:
        known = ~frame["passenger_count"].nulls[rows]
    rows = rows[known]
    if not words:
        frame["payment_type"].data[rows] = np.where(chance(rng, len(rows), 0.5), 3, 4)
    for column in frame.values():
        column.copy_rows(rows, rows + 1)
    for name in _MONEY:
        frame[name].data[rows + 1] *= -1.0
        frame[name].data[rows + 1] += 0.0
