"""Puts, copies, downloads and lists of a remote lake."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from typing_extensions import override

from taxi_assets.lake.factory import open_store
from taxi_assets.lake.store import NewObject, sha256_of
from taxi_assets_tests.faults.lake_reader import create_bucket, lake_files
from taxi_assets_tests.faults.months import SPEC
from taxi_assets_tests.faults.operation import Operation
from taxi_assets_tests.faults.stores import Place
from taxi_assets_tests.lake.files import new_file

__all__ = ["LAKE_OPERATIONS"]

KEY = f"trips/{SPEC.name}/trips.parquet"
SOURCE_KEY = f"staging/{SPEC.name}/trips.parquet"
_PARTS = 20 << 20  # bytes: three parts of an upload


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


LAKE_OPERATIONS: dict[str, Callable[[Place], Operation]] = {
    "put": _Put,
    "put in parts": partial(_Put, size=_PARTS),
    "replace": partial(_Put, before=True),
    "replace in parts": partial(_Put, size=_PARTS, before=True),
    "copy": _Copy,
    "fetch": _Fetch,
    "list": _Keys,
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
