"""Find the objects of assets in a lake, as handles; without Dagster.

Used by ``LakeIOManager`` and the resource ``previous``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taxi_assets.datasets.stored import Part
from taxi_assets.errors import ObjectMissing
from taxi_assets.lake import attributes, keys
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.handles import PreviousMonth, StoredFile, StoredMonth
from taxi_assets.lake.scratch import RunFolder
from taxi_assets.lake.store import LakeObject, NewObject
from taxi_assets.versions import is_current

__all__ = ["Lake"]


class Lake:
    """The lake at ``url``; temporary files are kept below ``scratch`` until ``close()``."""

    def __init__(self, url: str, scratch: str | None) -> None:
        self.store = open_store(url)
        self._folder = RunFolder(Path(scratch) if scratch else None)
        self.folder = self._folder.path
        self._cache: dict[str, Path] = {}  # by sha256

    def close(self) -> None:
        """Remove temporary files."""
        self._folder.remove()

    def put(self, new: NewObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        """Store a complete file under ``key`` and cache it, so that it is not downloaded again."""
        stored = self.store.put(new, key, replacing=replacing)
        self._cache[stored.sha256] = new.path
        return stored

    def local(self, stored: LakeObject) -> Path:
        """A local file with the object's content."""
        path = self._cache.get(stored.sha256)
        if path is None or not path.exists():
            path = self.store.fetch(stored, self.folder / stored.sha256)
            # A file in the lake itself may be replaced, so only downloads are cached.
            if path.is_relative_to(self.folder):
                self._cache[stored.sha256] = path
        return path

    def file(self, path: Sequence[str], partition: str | None, part: Part) -> StoredFile:
        """The asset's object; raises ``ObjectMissing``, which names the asset to materialize."""
        found = self.store.find(keys.of_asset(path, partition, part))
        if found is None:
            raise _missing(self.store.uri(keys.of_asset(path, partition, part)), path, partition)
        return StoredFile(found, self.local)

    def month(self, path: Sequence[str], partition: str) -> StoredMonth:
        """The asset's month; raises ``ObjectMissing`` unless both parts have the same version.

        They are written one after the other, so a run killed in between leaves one part of the
        previous version. Objects of an older layout (``versions.LAYOUT``) do not count either.
        """
        previous = self.previous_month(path, partition)
        if previous.stored is not None:
            return previous.stored
        key = keys.of_asset(path, partition, Part.TRIPS)
        if not all(previous.objects.values()):
            raise _missing(self.store.uri(key), path, partition)
        raise ObjectMissing(
            f"The trips and the rejects of {'/'.join(path)} {partition} are not of one version "
            f"({self.store.uri(key)}): a run ended between them, or an older version of "
            "taxi_assets wrote them.",
            f"Materialize {'/'.join(path)} for {partition} again, or run `python -m taxi_assets "
            "upgrade` for all such months. Downstream assets are unchanged.",
        )

    def previous_month(self, path: Sequence[str], partition: str) -> PreviousMonth:
        """What is stored of the asset's month now."""
        objects = {
            part: self.store.find(keys.of_asset(path, partition, part))
            for part in (Part.TRIPS, Part.REJECTS)
        }
        trips, rejects = objects[Part.TRIPS], objects[Part.REJECTS]
        stored = None
        if (
            trips
            and rejects
            and is_current(_version(trips))
            and _version(trips) == _version(rejects)
        ):
            spec, month = keys.month_of(path, partition)
            stored = StoredMonth(
                spec, month, StoredFile(trips, self.local), StoredFile(rejects, self.local)
            )
        return PreviousMonth(stored, objects)


def _version(stored: LakeObject) -> str | None:
    return stored.attributes.get(attributes.VERSION)


def _missing(uri: str, path: Sequence[str], partition: str | None) -> ObjectMissing:
    what = f"{'/'.join(path)} for {partition}" if partition else "/".join(path)
    return ObjectMissing(f"{uri} is not in the lake.", f"Materialize {what} first.")
