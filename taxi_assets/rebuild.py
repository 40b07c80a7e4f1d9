"""``python -m taxi_assets rebuild``: repairs the lake, and reloads the warehouse from it.

Both by Dagster runs, so that repaired months have their events, checks and metadata as any other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from taxi_assets.assets.zones import TAXI_ZONES
from taxi_assets.automation.jobs import MONTH_ASSETS
from taxi_assets.damage import compared
from taxi_assets.datasets import DATASETS, DatasetSpec, Month
from taxi_assets.lake import attributes, keys
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.handles import StoredMonth
from taxi_assets.lake.lake import Lake
from taxi_assets.lake.store import LakeObject
from taxi_assets.runner import ZONES_RUN, Requested, month_run
from taxi_assets.settings import Settings
from taxi_assets.tlc import TlcClient
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.warehouse.io_manager import is_loaded

__all__ = ["damaged_objects", "reloads", "repairs"]


def damaged_objects(
    settings: Settings, datasets: Collection[str], only: Collection[str] | None = None
) -> dict[str, LakeObject]:
    """The damaged objects of the lake by key, each printed; of ``only`` these keys, if given.

    Those of months are of ``datasets``.
    """
    store = open_store(settings.lake_url)
    chosen = [key for key in (store.keys("") if only is None else only) if _is_of(key, datasets)]
    settings.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.scratch) as folder:
        found = list(compared(store, chosen, Path(folder)))
    for each, problem in found:
        print(f"damaged    {each.uri}: {problem}", flush=True)
    return {each.key: each for each, _ in found}


def repairs(settings: Settings, damaged: Mapping[str, LakeObject]) -> list[Requested]:
    """The runs that repair these objects; prints those that none can.

    A raw file is downloaded again if the source still publishes the version that was stored. A
    cleaned month is cleaned again from its raw file, a published one copied again.
    """
    by_month: dict[tuple[str, Month], set[str]] = {}
    runs = []
    for key, found in damaged.items():
        if of_month := keys.asset_of(key):
            asset, name, month = of_month
            if asset == "raw_trips" and not _is_published(settings, found, name, month):
                print(
                    f"lost       {found.uri}: the source no longer publishes this version; "
                    f"run {name} {month} to replace the month by the version it has"
                )
                continue
            by_month.setdefault((name, month), set()).add(asset)
        elif key == keys.ZONES:
            runs.append(replace(ZONES_RUN, ops={"lake_zones": {"config": {"redo": True}}}))
        else:
            print(f"lost       {found.uri}: materialize its asset again")
    return runs + [
        _repair(DATASETS[name], month, assets) for (name, month), assets in by_month.items()
    ]


def _repair(spec: DatasetSpec, month: Month, assets: Collection[str]) -> Requested:
    """A run that makes the damaged assets again; the raw file is left alone unless it is one."""
    redo = {name: {"redo": True} for name in MONTH_ASSETS if name in assets}
    return month_run(spec, month, redo, MONTH_ASSETS if "raw_trips" in redo else MONTH_ASSETS[1:])


def _is_published(settings: Settings, raw: LakeObject, dataset: str, month: Month) -> bool:
    with TlcClient(settings.tlc_url, file_format=settings.source_format) as client:
        published = client.published(dataset, month)
    if published is None:
        return False
    if etag := raw.attributes.get(attributes.ETAG):
        return published.etag == etag
    modified = published.last_modified
    known = raw.attributes.get(attributes.LAST_MODIFIED)
    return modified is not None and modified.isoformat() == known


def reloads(settings: Settings, datasets: Collection[str]) -> list[Requested]:
    """The runs that load what the lake has and the warehouse does not have in the same version."""
    store = open_store(settings.lake_url)
    warehouse = open_warehouse(settings.warehouse_url, memory_limit=settings.memory_limit)
    zones = store.find(keys.ZONES)
    runs = []
    if zones is not None and warehouse.count("taxi_zones", None) != zones.rows:
        runs.append(replace(ZONES_RUN, assets=[TAXI_ZONES]))
    with closing(Lake(store, str(settings.scratch))) as lake:
        runs += [
            month_run(stored.spec, stored.month, assets=["warehouse_trips"])
            for stored in _published(lake, datasets)
            if not is_loaded(warehouse, stored)
        ]
    return runs


def _published(lake: Lake, datasets: Collection[str]) -> Iterator[StoredMonth]:
    """The published months; prints those that cannot be used."""
    for key in lake.store.keys("trips/"):
        of_month = keys.asset_of(key)
        if of_month is None or of_month[1] not in datasets:
            continue
        asset, name, month = of_month
        stored = lake.previous_month([name, asset], str(month)).stored
        if stored is not None:
            yield stored
        else:
            print(f"outdated   {name} {month}: run python -m taxi_assets upgrade first")


def _is_of(key: str, datasets: Collection[str]) -> bool:
    of_month = keys.asset_of(key)
    return of_month is None or of_month[1] in datasets
