"""Compares the lake's objects with the checksums that were stored with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from taxi_assets.errors import ConcurrentWrite, DamagedObject, StoreUnavailable
from taxi_assets.lake import attributes, keys
from taxi_assets.lake.store import LakeObject, LakeStore, sha256_of
from taxi_assets.wording import counted, one_line

__all__ = ["compared"]


def compared(
    store: LakeStore, every: Iterable[str], folder: Path
) -> Iterator[tuple[LakeObject, str]]:
    """The objects under these keys whose content is not what was stored, and what is wrong.

    Every object is downloaded to ``folder`` (a local lake links it) and deleted there. Prints a
    line per folder of the lake. An object that is replaced or deleted meanwhile is not reported.
    """
    for part, group in groupby(every, _part):
        objects, size = 0, 0
        print(f"{part} …", end="", flush=True)
        wrong = []
        for key in group:
            found = store.find(key)
            if found is None:
                continue
            objects, size = objects + 1, size + found.size
            if problem := _problem(store, found, folder):
                wrong.append((found, problem))
        print(f" {counted(objects, 'object')}, {size / 1e6:,.1f} MB, {len(wrong)} damaged")
        yield from wrong


def _problem(store: LakeStore, found: LakeObject, folder: Path) -> str | None:
    known = found.attributes.keys() & {attributes.SOURCE_URL, attributes.VERSION}
    if keys.asset_of(found.key) and not known:
        return "another program wrote it, or it was damaged and then copied"
    try:
        path = store.fetch(found, folder)
    except ConcurrentWrite:
        return None
    except DamagedObject:
        return "its content is not what was stored"
    except StoreUnavailable as error:
        return f"it cannot be read ({one_line(error.happened)})"
    try:
        same = sha256_of(path) == found.sha256
    finally:
        path.unlink()
    return None if same else "its content is not what was stored"


def _part(key: str) -> str:
    """``raw/green`` of ``raw/green/green_tripdata_2024-01.parquet``."""
    return "/".join(key.split("/")[:2] if key.count("/") > 1 else key.split("/")[:1])
