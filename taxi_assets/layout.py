"""Which months were made by an older layout; a placeholder that the layout itself replaces."""

from __future__ import annotations

from typing import Final

from taxi_assets.datasets import DatasetSpec, Month
from taxi_assets.lake.store import LakeStore
from taxi_assets.warehouse.base import Warehouse

__all__ = ["LAYOUT", "outdated"]

LAYOUT: Final = 1


def outdated(store: LakeStore, warehouse: Warehouse) -> list[tuple[DatasetSpec, Month]]:
    """The months in the lake's raw zone or in the warehouse that have no current version."""
    raise NotImplementedError
