"""The lake's IO manager: reads and writes assets as objects in a folder or bucket.

https://docs.dagster.io/guides/build/io-managers. Type annotations are handled in
``taxi_assets.io_manager``; this module adds the values ``NewFile`` and ``NewMonth``, and does not
copy a handle whose content is already stored.
"""

# Without annotations as strings: Dagster recognizes a ResourceDependency by its type.

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
from typing_extensions import override

from taxi_assets.datasets.formats import FileFormat
from taxi_assets.frames import Rows, from_reader, read_parquet, write_parquet
from taxi_assets.io_manager import AssetIOManager, Wanted
from taxi_assets.lake import keys
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.handles import NewFile, NewMonth, StoredFile, StoredMonth
from taxi_assets.lake.lake import Lake
from taxi_assets.lake.months import same_version, write_month
from taxi_assets.lake.store import LakeObject, NewObject, sha256_of

__all__ = ["LakeIOManager", "LakeResource", "finished"]

_IN_PLACE = "in place already, nothing written"


class LakeIOManager(AssetIOManager):
    """Stores assets as objects in ``lake``."""

    handles = (StoredFile, StoredMonth)

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    @override
    def rows(self, wanted: Wanted, form: Any) -> "Rows":
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
        if isinstance(value, StoredMonth) and not keys.has_rejects(path):
            value = value.trips  # an asset of a user's has one file for a partition
        key = self.lake.key(path, partition)
        if isinstance(value, StoredMonth | NewMonth):
            trips, rejects, written = write_month(self.lake, key, value)
            return {**_metadata(trips, written), "rejects": dg.MetadataValue.path(rejects.uri)}
        if isinstance(value, StoredFile):
            return _metadata(*self._hand_on(value, key))
        if isinstance(value, NewFile):
            new, before = value.new, value.before
        else:
            new, before = finished(self._file_of(value), {}), self.lake.store.find(key)
        return _metadata(self.lake.put(new, key, replacing=before), written=True)

    def _hand_on(self, file: StoredFile, key: str) -> tuple[LakeObject, bool]:
        """Copy the file to ``key``; returns the object and whether it was written."""
        if file.object.key == key:
            return file.object, False
        existing = self.lake.store.find(key)
        if existing and not file.redo and same_version(existing, file.object):
            return existing, False
        return self.lake.store.copy(file.object, key, replacing=existing), True

    def _local_files(self, wanted: Wanted) -> list[Path]:
        return [
            self.lake.file(wanted.path, partition, wanted.part).path()
            for partition in wanted.partitions or (None,)
        ]

    def _file_of(self, value: "Path | Rows") -> Path:
        path = self.lake.folder / f"{uuid.uuid4().hex}.parquet"
        if isinstance(value, Path):
            shutil.copyfile(value, path)  # a store may move its file, and this is the asset's own
        else:
            write_parquet(value, path)
        return path


class LakeResource(dg.ConfigurableIOManagerFactory[LakeIOManager]):
    """The lake at ``url`` (``file:///…``, ``gs://…``, ``s3://…``, ``az://…``).

    ``scratch`` holds temporary files; each run has a folder there, which it removes. ``gcs`` is the
    ``GCSResource`` of a lake on GCS; its type is not named, because its import takes a second.
    ``file_format`` is the format of the published files, as their suffix.
    """

    url: str
    scratch: str | None = None
    gcs: dg.ResourceDependency[Any] = None  # type: ignore[assignment]  # pydantic's default
    file_format: str = FileFormat.PARQUET.value

    @override
    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[LakeIOManager]:
        manager = self.create_io_manager(context)
        with closing(manager.lake):
            yield manager

    @override
    def create_io_manager(self, context: dg.InitResourceContext) -> LakeIOManager:
        store = open_store(self.url, self.gcs)
        return LakeIOManager(Lake(store, self.scratch, FileFormat(self.file_format)))


def finished(path: Path, described: Mapping[str, str]) -> NewObject:
    """A complete Parquet file with its sha256, row count and the attributes ``described``."""
    return NewObject(path, sha256_of(path), pq.read_metadata(path).num_rows, described)


def _metadata(stored: LakeObject, written: bool) -> dict[str, dg.MetadataValue]:
    """An object's metadata in the UI: URI, size, checksum and, for Parquet, rows."""
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
