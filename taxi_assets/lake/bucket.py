"""The base of all remote stores: object names, version checks, verified downloads.

To add a store, write a subclass with its client's requests, as in ``gcs``, ``s3`` and ``azure``,
and a module with its error rules, which starts with those of ``bucket_rules``.
"""

from __future__ import annotations

import tempfile
import uuid
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import ClassVar

from typing_extensions import override

from taxi_assets.addresses import lake_address
from taxi_assets.errors import ConcurrentWrite, DamagedObject, ObjectMissing, TaxiAssetsError
from taxi_assets.lake.objects import Found, check_metadata, check_name
from taxi_assets.lake.store import (
    LakeObject,
    LakeStore,
    NewObject,
    check_key,
    concurrent_write,
    facts_of,
    rows_of,
    sha256_of,
)
from taxi_assets.services import Service, named_errors

__all__ = ["PARTS_AT_ONCE", "PART_SIZE", "BucketStore"]

PART_SIZE = 8 << 20
"""Bytes per part; also the largest file sent in one request. GCS requires a multiple of 256 KiB, S3
more than 5 MiB, and at most 10,000 parts."""

PARTS_AT_ONCE = 4
"""In uploads to S3 and Azure and in downloads from Azure; an upload to GCS is one stream."""


class BucketStore(LakeStore):
    """An existing bucket or container at ``scheme://name/prefix``.

    The store itself enforces a precondition on each write: the version under the key. The version
    is also checked before the upload, so that a month is not uploaded only to be rejected.

    An object written by another program has no sha256, so ``find`` downloads it to compute one.
    ``fetch`` verifies each download against the writer's sha256.
    """

    metadata_limit: ClassVar[int]
    """Bytes of an object's metadata, names and values, that the service accepts."""
    service: ClassVar[Service]
    looks_first: bool = True
    """Whether versions are checked before a request too; without, only the store enforces them."""

    def __init__(self, url: str) -> None:
        address = lake_address(url)
        self.url = address.url
        self.bucket_name = address.bucket
        self._prefix = f"{address.prefix}/" if address.prefix else ""

    @override
    def find(self, key: str) -> LakeObject | None:
        found = self._found(key)
        if found is None:
            return None
        sha256, rows, attributes = facts_of(found.facts)
        if not sha256:
            sha256, rows = self._read_through(key, found.version)
        return LakeObject(self.uri(key), key, found.size, found.version, sha256, rows, attributes)

    @override
    def put(self, new: NewObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        self._expect(key, replacing)
        size = new.path.stat().st_size
        try:
            with self._named_errors("Writing", self.uri(key)):
                version = self._upload(new, self._name(key), _version_of(replacing))
        except ConcurrentWrite as refused:
            version = self._written(key, new.described(), replacing, refused)
        return LakeObject(
            self.uri(key), key, size, version, new.sha256, new.rows, dict(new.attributes)
        )

    @override
    def copy(
        self,
        source: LakeObject,
        key: str,
        *,
        replacing: LakeObject | None,
        attributes: Mapping[str, str] | None = None,
    ) -> LakeObject:
        target = replace(
            source,
            uri=self.uri(key),
            key=key,
            attributes=source.attributes if attributes is None else attributes,
        )
        self._must_be_current(source)
        self._expect(key, replacing)
        try:
            with self._named_errors(f"Copying {source.uri} to", self.uri(key)):
                version = self._duplicate(
                    self._name(source.key),
                    source.version,
                    self._name(key),
                    _version_of(replacing),
                    target.described(),
                )
        except (ConcurrentWrite, ObjectMissing) as error:
            missing = isinstance(error, ObjectMissing)
            refused = concurrent_write(source.uri) if missing else error
            version = self._written(key, target.described(), replacing, refused)
        return replace(target, version=version)

    @override
    def fetch(self, source: LakeObject, folder: Path) -> Path:
        self._must_be_current(source)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{source.sha256[:16]}-{PurePosixPath(source.key).name}"
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            try:
                with self._named_errors("Reading", source.uri):
                    self._download(self._name(source.key), source.version, temporary)
            except ObjectMissing:
                raise concurrent_write(source.uri) from None
            if sha256_of(temporary) != source.sha256:
                self._must_be_current(source)
                raise DamagedObject(
                    f"The download of {source.uri} is damaged: its sha256 is not {source.sha256}.",
                    "If a retry fails too, run `python -m taxi_assets rebuild`.",
                )
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    @override
    def keys(self, prefix: str) -> Iterator[str]:
        with self._named_errors("Listing", self.uri(prefix)):
            names = sorted(self._names(self._prefix + prefix))
        return (name.removeprefix(self._prefix) for name in names)

    @override
    def delete(self, key: str) -> None:
        with suppress(ObjectMissing), self._named_errors("Removing", self.uri(key)):
            self._remove(self._name(key))

    def _name(self, key: str) -> str:
        check_key(key)
        name = self._prefix + key
        check_name(name, self.uri(key))
        return name

    def _accepted(self, metadata: Mapping[str, str], name: str) -> dict[str, str]:
        """``metadata`` to send for ``name``, if it is not too much."""
        uri = self.uri(name.removeprefix(self._prefix))
        check_metadata(metadata, uri, self.service.name, self.metadata_limit)
        return dict(metadata)

    def _expect(self, key: str, replacing: LakeObject | None) -> None:
        if not self.looks_first:
            return
        found = self._found(key)
        if (found.version if found else None) != _version_of(replacing):
            raise concurrent_write(self.uri(key))

    def _must_be_current(self, source: LakeObject) -> None:
        if not self.looks_first:
            return
        found = self._found(source.key)
        if found is None or found.version != source.version:
            raise concurrent_write(source.uri)

    def _read_through(self, key: str, version: str) -> tuple[str, int | None]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / PurePosixPath(key).name
            with self._named_errors("Reading", self.uri(key)):
                self._download(self._name(key), version, path)
            return sha256_of(path), rows_of(path)

    def _named_errors(self, verb: str, uri: str) -> AbstractContextManager[None]:
        return named_errors(self.service, f"{verb} {uri}", uri=uri, bucket=self.bucket_name)

    def _written(
        self,
        key: str,
        facts: Mapping[str, str],
        replacing: LakeObject | None,
        refused: TaxiAssetsError,
    ) -> str:
        """The version under ``key`` if it is what the refused write would have stored.

        It is this run's own: the answer to its first request was lost, and the request was sent
        again. Another run may have written the very same content and facts, which is as good.
        Raises ``refused`` if it is not.
        """
        found = self._found(key)
        if found is None or found.version == _version_of(replacing) or found.facts != facts:
            raise refused from refused.__cause__
        return found.version

    def _found(self, key: str) -> Found | None:
        try:
            with self._named_errors("Finding", self.uri(key)):
                return self._describe(self._name(key))
        except ObjectMissing:
            return None

    @abstractmethod
    def _describe(self, name: str) -> Found:
        """The object ``name``; raises the client's error if it does not exist."""

    @abstractmethod
    def _upload(self, new: NewObject, name: str, expected: str | None) -> str:
        """Store ``new`` if the version of ``name`` is ``expected``; return the new version."""

    @abstractmethod
    def _duplicate(
        self,
        source: str,
        version: str,
        name: str,
        expected: str | None,
        facts: Mapping[str, str],
    ) -> str:
        """Copy ``source`` if it has ``version`` and ``name`` has ``expected``, with these facts;
        return the new version.
        """

    @abstractmethod
    def _download(self, name: str, version: str, path: Path) -> None:
        """Write the content of ``name``, if it has ``version``, to ``path``."""

    @abstractmethod
    def _names(self, prefix: str) -> Iterator[str]:
        """The names of all objects that start with ``prefix``, in any order."""

    @abstractmethod
    def _remove(self, name: str) -> None:
        """Delete the object ``name``; may raise the client's error if it does not exist."""


def _version_of(replacing: LakeObject | None) -> str | None:
    return None if replacing is None else replacing.version
