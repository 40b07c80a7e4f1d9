"""Publish files atomically into a folder with the layout of TLC's site, and withdraw them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.months import default_rows, write_month
from taxi_assets.simulator.zones import LOOKUP, SHAPES, lookup_csv, shapes_zip

__all__ = [
    "MISC",
    "TRIPS",
    "publish_month",
    "publish_zones",
    "trip_file",
    "withdraw_month",
]

TRIPS, MISC = "trip-data", "misc"


def trip_file(folder: Path, dataset: str, month: Month) -> Path:
    """The path of the file of ``month``, published or not."""
    return folder / TRIPS / f"{dataset}_tripdata_{month}.parquet"


def publish_month(
    folder: Path, dataset: str, month: Month, *, rows: int | None = None, seed: int = 0
) -> Path:
    """Generate ``month``, replacing any earlier file; returns its path.

    Raises ``ValueError`` for a month that TLC does not publish.
    """
    count = default_rows(dataset, month) if rows is None else rows
    target = trip_file(folder, dataset, month)
    _replace(target, lambda path: write_month(dataset, month, path, rows=count, seed=seed))
    return target


def withdraw_month(folder: Path, dataset: str, month: Month) -> None:
    """Remove ``month`` if it is published."""
    trip_file(folder, dataset, month).unlink(missing_ok=True)


def publish_zones(folder: Path) -> None:
    """Publish the zone lookup and the zone shapes."""
    _replace(folder / MISC / LOOKUP, lambda path: path.write_bytes(lookup_csv()))
    _replace(folder / MISC / SHAPES, lambda path: path.write_bytes(shapes_zip()))


def _replace(target: Path, write: Callable[[Path], object]) -> None:
    """Write beside ``target`` and rename, so that a reader gets the old file or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.parent / f".{target.name}.{os.getpid()}.part"
    try:
        write(unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
