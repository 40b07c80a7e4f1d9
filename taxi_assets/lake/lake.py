"""Find the objects of assets in a lake, as handles; without Dagster.

Used by ``LakeIOManager`` and the resource ``previous``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.datasets.stored import Part
from taxi_assets.errors import ObjectMissing
from taxi_assets.lake import attributes, keys
from taxi_assets.lake.handles import PreviousMonth, StoredFile, StoredMonth
from taxi_assets.lake.scratch import RunFolder
from taxi_assets.lake.store import LakeObject, LakeStore, NewObject
from taxi_assets.versions import is_current

__all__ = ["Lake"]


class Lake:
    """The lake in ``store``; temporary files are kept below ``scratch`` until ``close()``.

    ``file_format`` is the format of the published files in it.
    """

    def __init__(
        self,
        store: LakeStore,
        scratch: str | None,
        file_format: FileFormat = FileFormat.PARQUET,
    ) -> None:
        self.store = store
        self._file_format = file_format
        self._folder = RunFolder(Path(scratch) if scratch else None)
        self.folder = self._folder.path
        self._cache: dict[str, Path] = {}  # by sha256

    def close(self) -> None:
        """Remove temporary files."""
        self._folder.remove()

    def key(self, path: Sequence[str], partition: str | None) -> str:
        """The key of a partition of the asset ``path``."""
        return keys.of_asset(path, partition, self._file_format)

    def put(self, new: NewObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        """Store a complete file under ``key`` and cache it, so that it is not downloaded again."""
        stored = self.store.put(new, key, replacing=replacing)
        self._cache[stored.sha256] = new.path
        return stored

    def local(self, stored: LakeObject) -> Path:
        """A local file with the object's content, which no other run replaces or deletes."""
        path = self._cache.get(stored.sha256)
        if path is None or not path.exists():
            path = self.store.fetch(stored, self.folder / stored.sha256)
            self._cache[stored.sha256] = path
        return path

    def file(self, path: Sequence[str], partition: str | None, part: Part) -> StoredFile:
        """The asset's object; raises ``ObjectMissing``, which names the asset to materialize."""
        key = self.key(path, partition)
        if part is Part.REJECTS and keys.has_rejects(path):
            found = self._both(key)[1]
        else:
            found = self.store.find(key)
        if found is None:
            raise _missing(self.store.uri(key), path, partition)
        return StoredFile(found, self.local)

    def month(self, path: Sequence[str], partition: str) -> StoredMonth:
        """The asset's month: trips and the rejects that they name.

        Raises ``ObjectMissing`` if it is not stored, or in an older layout (``versions.LAYOUT``).
        """
        previous = self.previous_month(path, partition)
        if previous.stored is not None:
            return previous.stored
        if previous.trips is None:
            raise _missing(self.store.uri(self.key(path, partition)), path, partition)
        raise ObjectMissing(
            f"{'/'.join(path)} {partition} cannot be used ({previous.trips.uri}): an older version "
            "of taxi_assets wrote it, or its rejects were deleted.",
            f"Materialize {'/'.join(path)} for {partition} again, or run `python -m taxi_assets "
            "upgrade` for all such months. Downstream assets are unchanged.",
        )

    def previous_month(self, path: Sequence[str], partition: str) -> PreviousMonth:
        """What is stored of the asset's month now."""
        trips, rejects = self._both(self.key(path, partition))
        if not (trips and rejects and is_current(trips.attributes.get(attributes.VERSION))):
            return PreviousMonth(trips, None)
        spec, month = keys.month_of(path, partition)
        stored = StoredMonth(
            spec, month, StoredFile(trips, self.local), StoredFile(rejects, self.local)
        )
        return PreviousMonth(trips, stored)

    def _both(self, key: str) -> tuple[LakeObject | None, LakeObject | None]:
        """The trips under ``key`` and the rejects that they name."""
        trips = self.store.find(key)
        while trips is not None:
            rejects = self.rejects_of(trips)
            latest = trips if rejects else self.store.find(key)
            if latest is not None and latest.version == trips.version:
                return trips, rejects
            trips = latest  # replaced since, and the rejects of the previous version deleted
        return None, None

    def published_rows(self, spec: DatasetSpec, month: Month) -> int | None:
        """The rows of the file that the stored month was cleaned from; ``None`` if there is none.

        The larger number, if the month was cleaned again and not published since.
        """
        found = [self.store.find(key(spec, month)) for key in (keys.staging, keys.published)]
        counts = [each.attributes.get(attributes.COUNTS) for each in found if each]
        return max((MonthCounts.from_text(text).published for text in counts if text), default=None)

    def origins(self) -> Iterator[str | None]:
        """The origins of the zones and of one month, on which all others depend."""
        month = next((key for zone in ("raw/", "trips/") for key in self.store.keys(zone)), None)
        for key in (keys.ZONES, month):
            found = self.store.find(key) if key else None
            if found is not None:
                yield found.attributes.get(attributes.ORIGIN)

    def rejects_of(self, trips: LakeObject) -> LakeObject | None:
        """The rejects that a month's trips name; see ``months``."""
        return self.store.find(self.rejects_key(trips))

    def rejects_key(self, trips: LakeObject) -> str:
        """The key of the rejects that a month's trips name; before layout 3 they named none."""
        name = trips.attributes.get(attributes.REJECTS, "rejects.parquet")
        return keys.rejects(trips.key, name)


def _missing(uri: str, path: Sequence[str], partition: str | None) -> ObjectMissing:
    what = f"{'/'.join(path)} for {partition}" if partition else "/".join(path)
    return ObjectMissing(f"{uri} is not in the lake.", f"Materialize {what} first.")
