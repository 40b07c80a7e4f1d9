"""What a run does with a lake and a warehouse, an operation at a time, and what it leaves.

``run`` does it as a run of the month does, so that it can be done again after a fault; ``state``
says what is there, by the readers that do not use the code under test.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq
from typing_extensions import override

from taxi_assets.lake.factory import open_store
from taxi_assets.lake.store import LakeObject, NewObject, sha256_of
from taxi_assets.warehouse.base import Load, Source, Warehouse
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets_tests.faults import warehouse_reader
from taxi_assets_tests.faults.judge import judge
from taxi_assets_tests.faults.lake_reader import create_bucket, lake_files
from taxi_assets_tests.faults.months import MONTH, SPEC, Version, rows_of_table
from taxi_assets_tests.faults.stores import Place
from taxi_assets_tests.lake.files import new_file
from taxi_assets_tests.warehouse.months import REJECTS, TRIPS, parquet, trips

__all__ = ["OPERATIONS", "Operation"]

KEY = f"trips/{SPEC.name}/trips.parquet"
SOURCE_KEY = f"staging/{SPEC.name}/trips.parquet"
_PARTS = 20 << 20  # bytes: three parts of an upload


class Operation(ABC):
    """One of the ``OPERATIONS`` in a place of its own.

    ``prepare`` creates what is there before. ``state`` is ``old``, ``new`` or what is wrong.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.files = place.folder / "files"
        self.files.mkdir()

    @abstractmethod
    def prepare(self) -> None: ...

    @abstractmethod
    def run(self) -> None: ...

    @abstractmethod
    def state(self) -> str: ...

    @abstractmethod
    def left(self) -> Iterator[str]:
        """What is there that should not, after an undisturbed ``run``."""

    def leftovers(self) -> list[str]:
        """The same, with temporary files."""
        temporary = [path.name for path in self.place.temporary.rglob("*") if path.is_file()]
        return [*self.left(), *(f"temporary file {name}" for name in temporary)]


class _Lake(Operation):
    def __init__(self, place: Place, size: int = 1000, *, before: bool = False) -> None:
        super().__init__(place)
        self._url = place.lake_url
        self._old, self._new = (self._file(each, size) for each in (b"o", b"n"))
        self._before = before

    def _file(self, content: bytes, size: int) -> NewObject:
        return new_file(self.files, content * size, {"of": content.decode()}, rows=size)

    @override
    def prepare(self) -> None:
        create_bucket(self._url)
        if self._before:
            open_store(self._url).put(self._old, KEY, replacing=None)

    @override
    def state(self) -> str:
        found = lake_files(self._url).get(KEY)
        if found is None:
            return "wrong: nothing there" if self._before else "old"
        for name, file in (("old", self._old), ("new", self._new)):
            if found == (file.path.read_bytes(), file.described()):
                return name
        return f"wrong: {len(found[0])} bytes, {found[1]}"

    @override
    def left(self) -> Iterator[str]:
        yield from (key for key in lake_files(self._url).every_key() if key not in self._keys())
        yield from _unfinished(self._url)

    def _keys(self) -> set[str]:
        return {KEY}


class _Put(_Lake):
    @override
    def run(self) -> None:
        store = open_store(self._url)
        stored = store.put(self._new, KEY, replacing=store.find(KEY))
        assert stored == store.find(KEY), f"put returned {stored}"


class _Copy(_Lake):
    def __init__(self, place: Place) -> None:
        super().__init__(place, before=True)

    @override
    def prepare(self) -> None:
        super().prepare()
        open_store(self._url).put(self._new, SOURCE_KEY, replacing=None)

    @override
    def run(self) -> None:
        store = open_store(self._url)
        source = store.get(SOURCE_KEY, remedy="")
        copied = store.copy(source, KEY, replacing=store.find(KEY), attributes={"of": "n"})
        assert copied == store.find(KEY), f"copy returned {copied}"

    @override
    def _keys(self) -> set[str]:
        return {KEY, SOURCE_KEY}


class _Fetch(_Lake):
    """Read an object; ``new`` if the file is its content."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, _PARTS, before=True)
        self._folder, self._path = place.folder / "fetched", Path()

    @override
    def run(self) -> None:
        store = open_store(self._url)
        self._path = store.fetch(store.get(KEY, remedy=""), self._folder)

    @override
    def state(self) -> str:
        if not self._path.name:
            return "old"
        return "new" if sha256_of(self._path) == self._old.sha256 else "wrong: a damaged file"

    @override
    def left(self) -> Iterator[str]:
        yield from super().left()
        if self._folder.exists():
            yield from (each.name for each in self._folder.iterdir() if each != self._path)


class _Keys(_Lake):
    """List the objects; ``new`` if all are listed."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, before=True)
        self._found: list[str] | None = None

    @override
    def run(self) -> None:
        self._found = list(open_store(self._url).keys("trips/"))

    @override
    def state(self) -> str:
        if self._found is None:
            return "old"
        return "new" if self._found == [KEY] else f"wrong: {self._found}"


class _Load(Operation):
    """Load a month again, from a lake on GCS if there is one."""

    def __init__(self, place: Place, *, local: bool = False) -> None:
        super().__init__(place)
        self._direct = place.warehouse_url
        self._remote = not local and place.lake_url.startswith("gs:")
        self._loads: dict[str, list[Load]] = {}
        self._versions: dict[str, Version] = {}

    @override
    def prepare(self) -> None:
        warehouse_reader.create(self._direct)
        if self._remote:
            create_bucket(self.place.lake_url)
        for name, zones in (("old", [1, 2, 3]), ("new", [4, 5])):
            sources = [
                parquet(self.files / name, trips([zone + add for zone in zones]), table)
                for table, add in ((TRIPS, 0), (REJECTS, 10))
            ]
            rows = [rows_of_table(pq.ParquetFile(source.path()).read()) for source in sources]
            self._versions[name] = Version(name, Path(), *rows)
            self._loads[name] = [
                Load(table, self._source(source, f"{name}/{table.name}.parquet"), name)
                for table, source in zip((TRIPS, REJECTS), sources, strict=True)
            ]
        self._warehouse().replace(self._loads["old"], MONTH)

    def _warehouse(self) -> Warehouse:
        return open_warehouse(os.environ["TAXI_WAREHOUSE_URL"])

    def _source(self, source: Source, key: str) -> Source:
        if not self._remote:
            return source
        path = source.path()
        new = NewObject(path, sha256_of(path), pq.read_metadata(path).num_rows)
        stored: LakeObject = open_store(self.place.lake_url).put(new, key, replacing=None)
        return Source(source.path, stored)

    @override
    def run(self) -> None:
        loaded = self._warehouse().replace(self._loads["new"], MONTH)
        assert [each.rows for each in loaded] == [2, 2], f"replace returned {loaded}"

    @override
    def state(self) -> str:
        with warehouse_reader.open_warehouse(self._direct) as reader:
            month = reader.month()
        if month is None:
            return "wrong: the month has no rows"
        if month.apart:  # BigQuery has no transaction over both tables
            return "apart"
        seen, findings = judge(
            "warehouse", (month.trips, month.rejects), self._versions, self._versions
        )
        return f"wrong: {findings[0].detail}" if findings else seen

    @override
    def left(self) -> Iterator[str]:
        own = {TRIPS.name, REJECTS.name, "loaded_months"}
        own |= {f"{name}_{MONTH.year}{MONTH.month:02d}" for name in (TRIPS.name, REJECTS.name)}
        with warehouse_reader.open_warehouse(self._direct) as reader:
            yield from (f"table {name}" for name in reader.tables() - own)


class _Read(_Load):
    """Read the month, its count and its record; ``new`` if all are right."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, local=True)
        self._seen: Any = None

    @override
    def run(self) -> None:
        warehouse = self._warehouse()
        with warehouse.read(TRIPS.name, months=[MONTH], columns=["zone"]) as reader:
            zones = sorted(reader.read_all().column("zone").to_pylist())
        loaded = warehouse.loaded(TRIPS.name, MONTH)
        count = warehouse.count(TRIPS.name, MONTH)
        self._seen = (zones, count, loaded and (loaded.version, loaded.rows))

    @override
    def state(self) -> str:
        if self._seen is None:
            return "old"
        return "new" if self._seen == ([1, 2, 3], 3, ("old", 3)) else f"wrong: {self._seen}"


OPERATIONS: dict[str, Any] = {
    "put": _Put,
    "put in parts": partial(_Put, size=_PARTS),
    "replace": partial(_Put, before=True),
    "replace in parts": partial(_Put, size=_PARTS, before=True),
    "copy": _Copy,
    "fetch": _Fetch,
    "list": _Keys,
    "load": _Load,
    "load a local file": partial(_Load, local=True),
    "read": _Read,
}


def _unfinished(url: str) -> Iterator[str]:
    """Uploads in parts that were not finished, which are billed."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        import boto3  # noqa: PLC0415 - a slow import

        answer = boto3.Session().client("s3").list_multipart_uploads(Bucket=parts.netloc)
        yield from (f"unfinished upload of {each['Key']}" for each in answer.get("Uploads", ()))
    elif parts.scheme == "az":
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 - a slow import

        client = BlobServiceClient.from_connection_string(
            os.environ["AZURE_STORAGE_CONNECTION_STRING"]
        ).get_container_client(parts.netloc)
        listed = {blob.name for blob in client.list_blobs(include=["uncommittedblobs"])}
        committed = {blob.name for blob in client.list_blobs()}
        yield from (f"uncommitted blocks of {name}" for name in listed - committed)
