"""The lake's IO manager: objects in a folder or a bucket, as assets receive and return them.

https://docs.dagster.io/guides/build/io-managers; what annotations ask for stands in
``taxi_assets.io_manager``. Here is what is special to the lake: the values ``NewFile`` and
``NewMonth``, and that a handle whose content is in place already moves nothing.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
from typing_extensions import override

from taxi_assets.datasets.stored import Part
from taxi_assets.frames import Rows, from_reader, read_parquet, write_parquet
from taxi_assets.io_manager import AssetIOManager, Wanted
from taxi_assets.lake import attributes, keys
from taxi_assets.lake.handles import NewFile, NewMonth, StoredFile, StoredMonth
from taxi_assets.lake.lake import Lake
from taxi_assets.lake.store import LakeObject, NewObject, sha256_of

__all__ = ["LakeIOManager", "LakeResource", "finished"]

_IN_PLACE = "in place already, nothing written"


class LakeIOManager(AssetIOManager):
    """Keeps assets as objects of ``lake``."""

    handles = (StoredFile, StoredMonth)

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    @override
    def rows(self, wanted: Wanted, form: Any) -> Rows:
        return from_reader(read_parquet(self._local_files(wanted), wanted.columns), form)

    @override
    def local_file(self, wanted: Wanted) -> Path:
        wanted.one(Path)
        return self._local_files(wanted)[0]

    @override
    def handle(self, wanted: Wanted, form: type) -> StoredFile | StoredMonth:
        partition = wanted.one(form)
        if form is StoredMonth:
            return self.lake.month(wanted.path, partition or "")
        return self.lake.file(wanted.path, partition, wanted.part)

    @override
    def store(self, path: Sequence[str], partition: str | None, value: Any) -> Mapping[str, Any]:
        if isinstance(value, StoredMonth | NewMonth):
            objects = {
                part: self._place(
                    each,
                    keys.of_asset(path, partition, part),
                    before=value.before.objects[part] if isinstance(value, NewMonth) else None,
                    redo=isinstance(value, StoredMonth) and value.redo,
                )
                for part, each in value.parts.items()
            }
            (trips, done), (rejects, _) = objects[Part.TRIPS], objects[Part.REJECTS]
            return {**_metadata(trips, done), "rejects": dg.MetadataValue.path(rejects.uri)}
        key = keys.of_asset(path, partition)
        if isinstance(value, NewFile):
            stored, done = self._place(value.new, key, before=value.before)
        elif isinstance(value, StoredFile):
            stored, done = self._place(value, key, redo=value.redo)
        else:
            new = finished(self._file_of(value), {})
            stored, done = self._place(new, key, before=self.lake.store.find(key))
        return _metadata(stored, done)

    def _place(
        self,
        value: StoredFile | NewObject,
        key: str,
        *,
        before: LakeObject | None = None,
        redo: bool = False,
    ) -> tuple[LakeObject, bool]:
        """Bring ``value`` under ``key``; what is there then, and whether anything was written.

        ``before`` is what a new file replaces: what was there when its making began.
        """
        if isinstance(value, NewObject):
            return self.lake.put(value, key, replacing=before), True
        if value.object.key == key:
            return value.object, False
        there = self.lake.store.find(key)
        if there and not redo and _same(there, value.object):
            return there, False
        return self.lake.store.copy(value.object, key, replacing=there), True

    def _local_files(self, wanted: Wanted) -> list[Path]:
        return [
            self.lake.file(wanted.path, partition, wanted.part).path()
            for partition in wanted.partitions or (None,)
        ]

    def _file_of(self, value: Path | Rows) -> Path:
        path = self.lake.folder / f"{uuid.uuid4().hex}.parquet"
        if isinstance(value, Path):
            shutil.copyfile(value, path)  # a store moves what it is given; this is not ours to give
        else:
            write_parquet(value, path)
        return path


class LakeResource(dg.ConfigurableIOManagerFactory[LakeIOManager]):
    """The lake at ``url`` (``file:///…``, ``gs://…``, ``s3://…``, ``az://…``).

    ``scratch`` is where files wait on local disk; each run has a folder there and leaves none.
    """

    url: str
    scratch: str | None = None

    @override
    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[LakeIOManager]:
        with closing(Lake(self.url, self.scratch)) as lake:
            yield LakeIOManager(lake)

    @override
    def create_io_manager(self, context: dg.InitResourceContext) -> LakeIOManager:
        return LakeIOManager(Lake(self.url, self.scratch))


def finished(path: Path, described: Mapping[str, str]) -> NewObject:
    """A finished Parquet file, measured for the lake, with the attributes ``described``."""
    return NewObject(path, sha256_of(path), pq.read_metadata(path).num_rows, described)


def _same(there: LakeObject, wanted: LakeObject) -> bool:
    """Whether what is there is what is wanted; an object of an older layout is not, however alike
    its bytes: it does not say what it is.
    """
    version = wanted.attributes.get(attributes.VERSION)
    if version is None:
        return there.sha256 == wanted.sha256
    return there.attributes.get(attributes.VERSION) == version


def _metadata(stored: LakeObject, written: bool) -> dict[str, dg.MetadataValue]:
    """What the UI shows of an object: address, size, checksum and, of Parquet, rows."""
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/uri": dg.MetadataValue.path(stored.uri),
        "bytes": dg.MetadataValue.int(stored.size),
        "sha256": dg.MetadataValue.text(stored.sha256),
    }
    if stored.rows is not None:
        metadata["dagster/partition_row_count"] = dg.MetadataValue.int(stored.rows)
    if not written:
        metadata["lake"] = dg.MetadataValue.text(_IN_PLACE)
    return metadata
