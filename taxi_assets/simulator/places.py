"""Random zones of trips, busy ones more often, and coordinates for the years before zones."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from taxi_assets.simulator.values import Floats, Integers, chance

__all__ = [
    "AIRPORTS",
    "NEWARK",
    "OUTSIDE",
    "UNKNOWN",
    "ZONES",
    "draw_coordinates",
    "draw_zones",
    "is_airport",
]

ZONES = 265
UNKNOWN, OUTSIDE = 264, 265
AIRPORTS = (132, 138)  # the two airports inside the city
NEWARK = 1

_TABLE_SIZE = 1 << 16


def draw_zones(rng: np.random.Generator, count: int) -> Integers:
    """Location IDs from 1 to 265; a few of them unknown (264) or outside the city (265)."""
    drawn = rng.integers(0, _TABLE_SIZE, count, dtype=np.uint16)
    return _table()[drawn]


@cache
def _table() -> Integers:
    """Zones, each repeated by how busy it is, so that one lookup draws a zone."""
    rng = np.random.default_rng(265)
    busyness = rng.permutation(1.0 / np.arange(3.0, ZONES - 2 + 3.0))
    busyness = np.concatenate([busyness, [0.0, 0.0]])
    busyness[[zone - 1 for zone in AIRPORTS]] = busyness.max() / 2
    busyness[UNKNOWN - 1] = busyness.sum() * 0.01
    busyness[OUTSIDE - 1] = busyness.sum() * 0.004
    # Every zone at least once, the rest by busyness.
    often = np.floor(busyness / busyness.sum() * (_TABLE_SIZE - ZONES)).astype(np.int64) + 1
    table = np.repeat(np.arange(1, ZONES + 1, dtype=np.int64), often)
    return np.concatenate([table, np.full(_TABLE_SIZE - len(table), table[0])])


def is_airport(zones: Integers) -> npt.NDArray[np.bool_]:
    """True where the zone is an airport inside the city."""
    return np.isin(zones, AIRPORTS)


def draw_coordinates(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Longitudes and latitudes in degrees; two in a hundred are 0, 0, as published."""
    longitudes = np.round(rng.normal(-73.975, 0.03, count), 6)
    latitudes = np.round(rng.normal(40.751, 0.025, count), 6)
    lost = chance(rng, count, 0.02)
    longitudes[lost] = 0.0
    latitudes[lost] = 0.0
    return longitudes, latitudes
