"""The lake in an asset's hands: what its annotation asks for, and what it returns.

Belongs here: the Dagster edge of the lake. Does not: stores (``store``), forms of rows
(``forms``).

An input annotated with one of these gets it; annotated ``dict[str, one of these]``, it gets one
per partition:

    pandas.DataFrame, pyarrow.Table, pyarrow.RecordBatchReader     the rows
    pathlib.Path                                                   a local Parquet file
    LakeObject                                                     a handle; no download

``AssetIn(metadata={"columns": [...]})`` chooses columns of rows, ``{"part": "rejects"}`` a
cleaned month's rejects. Returning any of these from an asset stores it; in a run over several
partitions, return a ``dict`` with one per partition.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
from pydantic import PrivateAttr
from typing_extensions import override

from taxi_assets.datasets.stored import Part
from taxi_assets.errors import Misconfigured
from taxi_assets.forms import (
    Rows,
    by_partition,
    form_per_partition,
    from_reader,
    is_rows,
    read_parquet,
    unknown_form,
    write_parquet,
)
from taxi_assets.lake import keys
from taxi_assets.lake.opening import open_store
from taxi_assets.lake.scratch import RunFolder
from taxi_assets.lake.store import LakeObject, LakeStore, NewObject, sha256_of

_FORMS = (
    "pandas.DataFrame",
    "pyarrow.Table",
    "pyarrow.RecordBatchReader",
    "pathlib.Path",
    "LakeObject",
)


class Stored:
    """What an asset returns when it has put its months in place itself; see ``assets.months``."""


class LakeIOManager(dg.ConfigurableIOManager):
    """Keeps assets as objects below ``url`` (``file:///…``, ``gs://…``, ``s3://…``, ``az://…``).

    ``scratch`` is where files wait on local disk; each run has a folder there and leaves none.
    """

    url: str
    scratch: str | None = None

    _store: LakeStore | None = PrivateAttr(default=None)
    _run_folder: RunFolder | None = PrivateAttr(default=None)
    _at_hand: dict[str, Path] = PrivateAttr(default_factory=dict)  # by sha256

    @override
    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._run_folder is not None:
            self._run_folder.remove()

    @property
    def store(self) -> LakeStore:
        """The store at ``url``, opened when first asked for."""
        if self._store is None:
            self._store = open_store(self.url)
        return self._store

    @property
    def folder(self) -> Path:
        """This run's folder on local disk, removed when the run ends."""
        if self._run_folder is None:
            self._run_folder = RunFolder(Path(self.scratch) if self.scratch else None)
        return self._run_folder.path

    @property
    def downloads(self) -> Path:
        """Where a download may wait, half done, for the next run to resume it."""
        return Path(self.scratch) / "downloads" if self.scratch else self.folder

    def local(self, stored: LakeObject) -> Path:
        """A local file with the object's content; what this run wrote is not fetched again."""
        path = self._at_hand.get(stored.sha256)
        if path is None or not path.exists():
            path = self.store.fetch(stored, self.folder / stored.sha256)
            # A file that lies in the lake itself may be replaced; ours may not.
            if path.is_relative_to(self.folder):
                self._at_hand[stored.sha256] = path
        return path

    def find(
        self, path: Sequence[str], partition: str | None, part: Part = Part.TRIPS
    ) -> LakeObject:
        """The asset's object; raises ``ObjectMissing``, naming what to materialise."""
        name = "/".join(path)
        what = f"{name} for {partition}" if partition else name
        return self.store.get(
            keys.of_asset(path, partition, part),
            remedy=f"Materialise {what} first.",
        )

    @override
    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        if isinstance(obj, Stored):
            return
        partitions = context.asset_partition_keys if context.has_asset_partitions else None
        path = context.asset_key.path
        stored = [
            self.write(keys.of_asset(path, partition), value)
            for partition, value in by_partition("/".join(path), obj, partitions)
        ]
        if len(stored) == 1:  # what is said here, Dagster says of every partition of the run
            context.add_output_metadata(object_metadata(stored[0]))

    def write(self, key: str, value: Path | Rows | LakeObject) -> LakeObject:
        """Store rows, a Parquet file or another object under ``key``, whatever is there now."""
        before = self.store.find(key)
        if isinstance(value, LakeObject):
            return self.store.copy(value, key, replacing=before)
        return self.put(finished(self._file_of(value), {}), key, replacing=before)

    def put(self, new: NewObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        """Store a finished file under ``key``, and keep it at hand for the rest of the run."""
        stored = self.store.put(new, key, replacing=replacing)
        self._at_hand[stored.sha256] = new.path
        return stored

    @override
    def load_input(self, context: dg.InputContext) -> Any:
        form = context.dagster_type.typing_type
        metadata = context.definition_metadata
        part, columns = Part(metadata.get("part", Part.TRIPS)), metadata.get("columns")
        path = context.asset_key.path
        partitions = context.asset_partition_keys if context.has_asset_partitions else None
        each_form = form_per_partition("/".join(path), form, partitions)
        wanted = each_form or form
        if not is_rows(wanted) and wanted not in (Path, LakeObject):
            raise unknown_form("/".join(path), wanted, _FORMS)
        objects = [self.find(path, each, part) for each in partitions or (None,)]
        if each_form is None:
            return self._as(form, objects, columns)
        each_value = (self._as(each_form, [found], columns) for found in objects)
        return dict(zip(partitions or (), each_value, strict=True))

    def _as(self, form: Any, objects: list[LakeObject], columns: Sequence[str] | None) -> Any:
        if is_rows(form):
            return from_reader(read_parquet([self.local(each) for each in objects], columns), form)
        if len(objects) != 1:
            raise Misconfigured(
                f"{form.__name__} is one object and {len(objects)} partitions were asked for.",
                f"Annotate the input dict[str, {form.__name__}].",
            )
        return objects[0] if form is LakeObject else self.local(objects[0])

    def _file_of(self, value: Path | Rows) -> Path:
        path = self.folder / f"{uuid.uuid4().hex}.parquet"
        if isinstance(value, Path):
            shutil.copyfile(value, path)  # a store moves what it is given; this is not ours to give
        else:
            write_parquet(value, path)
        return path


def finished(path: Path, attributes: Mapping[str, str]) -> NewObject:
    """A finished Parquet file, measured for the lake."""
    return NewObject(path, sha256_of(path), pq.read_metadata(path).num_rows, attributes)


def object_metadata(stored: LakeObject) -> dict[str, dg.MetadataValue]:
    """What the UI shows of an object: address, size, checksum and, of Parquet, rows."""
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/uri": dg.MetadataValue.path(stored.uri),
        "bytes": dg.MetadataValue.int(stored.size),
        "sha256": dg.MetadataValue.text(stored.sha256),
    }
    if stored.rows is not None:
        metadata["dagster/partition_row_count"] = dg.MetadataValue.int(stored.rows)
    return metadata
