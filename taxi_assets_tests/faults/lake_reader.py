"""Read a month from a lake with the store's own client, without the code under test.

As documented for people who read the lake: the trips' object is the month, and its attribute
``rejects`` names the object of its rejects. Older layouts have one key for the rejects.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import pyarrow.parquet as pq

from taxi_assets_tests.faults.months import MONTH, SPEC, Rows, rows_of_table

__all__ = ["LakeFiles", "LakeMonth", "create_bucket", "lake_files", "read_lake"]

_HIVE = f"year={MONTH.year:04d}/month={MONTH.month:02d}"
TRIPS_KEY = f"trips/{SPEC.name}/{_HIVE}/trips.parquet"
_OLD_REJECTS_KEY = f"rejects/{SPEC.name}/{_HIVE}/rejects.parquet"
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class LakeMonth:
    """The rows of the published month, and the version that its trips name."""

    trips: Rows
    rejects: Rows
    version: str


class LakeFiles(Protocol):
    """A store, as far as a reader needs it."""

    def get(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        """Content and attributes, of one and the same object; ``None`` if there is none."""

    def every_key(self) -> Iterator[str]:
        """Every key, with those that are hidden."""


def lake_files(url: str) -> LakeFiles:
    """The store at ``url``; its client is configured by the environment."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _Local(Path(unquote(parts.path)))
    bucket, prefix = parts.netloc, parts.path.strip("/") + "/"
    if parts.scheme == "gs":
        return _Gcs(bucket, prefix)
    return _S3(bucket, prefix) if parts.scheme == "s3" else _Azure(bucket, prefix)


def read_lake(files: LakeFiles) -> LakeMonth | None:
    """The month, ``None`` if there is none; raises ``AssertionError`` if it is not readable.

    Rejects that are gone were replaced after the trips were read, so the trips are read again.
    """
    for _ in range(_ATTEMPTS):
        found = files.get(TRIPS_KEY)
        if found is None:
            return None
        content, attributes = found
        key = _rejects_key(attributes)
        rejects = files.get(key)
        if rejects is not None:
            return LakeMonth(_rows(content), _rows(rejects[0]), attributes.get("version", ""))
        time.sleep(0.01)
    raise AssertionError(f"{TRIPS_KEY} has no rejects at {key}")


def _rejects_key(attributes: Mapping[str, str]) -> str:
    named = attributes.get("rejects")
    if named is None:
        return _OLD_REJECTS_KEY
    return named if "/" in named else f"rejects/{SPEC.name}/{_HIVE}/{named}"


def _rows(content: bytes) -> Rows:
    # A single file: a folder year=… would add the columns of its name.
    return rows_of_table(pq.ParquetFile(io.BytesIO(content)).read())


class _Local:
    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        for _ in range(_ATTEMPTS):
            try:
                content = (self._root / key).read_bytes()
            except FileNotFoundError:
                return None
            # Facts are in .facts/<key>/; those of this very content have its sha256.
            sha256 = hashlib.sha256(content).hexdigest()
            for path in (self._root / ".facts" / key).glob("*"):
                try:
                    facts = json.loads(path.read_text())
                except (FileNotFoundError, ValueError):
                    continue
                if facts.get("sha256") == sha256:
                    return content, facts
            if not self._root.joinpath(key).exists():
                return None
            time.sleep(0.002)
        return content, {}

    def every_key(self) -> Iterator[str]:
        for path in sorted(self._root.rglob("*")):
            if path.is_file():
                yield path.relative_to(self._root).as_posix()


class _Gcs:
    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket, self._prefix = _gcs_client().bucket(bucket), prefix

    def get(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        from google.api_core.exceptions import NotFound  # noqa: PLC0415 - a slow import

        blob = self._bucket.get_blob(self._prefix + key)
        if blob is None:
            return None
        try:
            # The emulator keeps one generation, so a replaced object is not found.
            content = blob.download_as_bytes(if_generation_match=blob.generation)
        except NotFound:
            return self.get(key)
        after = self._bucket.get_blob(self._prefix + key)
        if after is None or after.generation != blob.generation:
            return self.get(key)
        return content, blob.metadata or {}

    def every_key(self) -> Iterator[str]:
        for blob in self._bucket.list_blobs(prefix=self._prefix):
            yield blob.name.removeprefix(self._prefix)


class _S3:
    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3  # noqa: PLC0415 - a slow import

        self._client: Any = boto3.Session().client("s3")
        self._bucket, self._prefix = bucket, prefix

    def get(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
        except self._client.exceptions.NoSuchKey:
            return None
        return found["Body"].read(), json.loads(found["Metadata"].get("facts", "{}"))

    def every_key(self) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
            for each in page.get("Contents", ()):
                yield each["Key"].removeprefix(self._prefix)


class _Azure:
    def __init__(self, container: str, prefix: str) -> None:
        self._container = _azure_client().get_container_client(container)
        self._prefix = prefix

    def get(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 - a slow import

        try:
            # One request, so that content and metadata are of the same blob.
            found = self._container.download_blob(self._prefix + key)
        except ResourceNotFoundError:
            return None
        facts = json.loads((found.properties.metadata or {}).get("facts", "{}"))
        return found.readall(), facts

    def every_key(self) -> Iterator[str]:
        for blob in self._container.list_blobs(name_starts_with=self._prefix):
            yield blob.name.removeprefix(self._prefix)


def create_bucket(url: str) -> None:
    """Create the bucket or container of a lake that is not local."""
    parts = urlsplit(url)
    if parts.scheme == "gs":
        _gcs_client().create_bucket(parts.netloc)
    elif parts.scheme == "s3":
        import boto3  # noqa: PLC0415 - a slow import

        boto3.Session().client("s3").create_bucket(Bucket=parts.netloc)
    elif parts.scheme == "az":
        _azure_client().create_container(parts.netloc)


def _gcs_client() -> Any:
    from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415 - a slow import
    from google.cloud import storage  # noqa: PLC0415 - a slow import

    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call] # Google's own
    return storage.Client(project="local", credentials=anonymous)


def _azure_client() -> Any:
    from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 - a slow import

    return BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])
