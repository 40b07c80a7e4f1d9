"""Finds months that an older release of this package stored in another layout.

They stay readable, are stale, and are never used as months of the current layout;
``taxi_assets upgrade`` materializes them again. ``versions`` defines the layout.
"""

from __future__ import annotations

from collections.abc import Collection

from taxi_assets.datasets import DATASETS, DatasetSpec, Month
from taxi_assets.datasets.stored import Part
from taxi_assets.lake import attributes, keys
from taxi_assets.lake.store import LakeStore
from taxi_assets.versions import is_current
from taxi_assets.warehouse.base import Warehouse

__all__ = ["outdated_in_warehouse", "outdated_months"]


def outdated_months(store: LakeStore, warehouse: Warehouse) -> list[tuple[DatasetSpec, Month]]:
    """Every month of an older layout in the lake or the warehouse, oldest first by dataset."""
    months = set(outdated_in_warehouse(warehouse, DATASETS)) | _outdated_in_lake(store)
    return [(DATASETS[name], month) for name, month in sorted(months)]


def outdated_in_warehouse(
    warehouse: Warehouse, datasets: Collection[str]
) -> list[tuple[str, Month]]:
    """Dataset and month of each month of an older layout in the warehouse."""
    found = []
    for name in datasets:
        for part in Part:
            table = f"{name}_{part}"
            found += [(name, month) for month in warehouse.unrecorded_months(table)]
            found += [
                (name, month)
                for month, loaded in warehouse.loaded_months(table).items()
                if not is_current(loaded.version)
            ]
    return sorted(set(found))


def _outdated_in_lake(store: LakeStore) -> set[tuple[str, Month]]:
    months = set()
    for key in store.keys("trips/"):
        of_month, found = keys.asset_of(key), store.find(key)
        if of_month and found and not is_current(found.attributes.get(attributes.VERSION)):
            months.add(of_month[1:])
    return months
