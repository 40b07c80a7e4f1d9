"""The interface of a lake's object store, and the description of an object in it.

Implemented by ``local``, ``gcs``, ``s3`` and ``azure``; the tests in ``test_store_contract`` run
against each.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.errors import ConcurrentWrite, Misconfigured, ObjectMissing

__all__ = [
    "CHUNK",
    "MATERIALIZE_AGAIN",
    "RUN_AGAIN",
    "WRITTEN_BY_ANOTHER_RUN",
    "LakeObject",
    "LakeStore",
    "NewObject",
    "check_key",
    "concurrent_write",
    "facts_of",
    "rows_of",
    "sha256_of",
]

CHUNK = 1 << 20

WRITTEN_BY_ANOTHER_RUN = (
    "{uri} was replaced or deleted by another run during this run; nothing was stored."
)
RUN_AGAIN = "Two runs processed the same month: let one finish, then run the month again."
MATERIALIZE_AGAIN = "Materialize it again."


@dataclass(frozen=True, slots=True)
class LakeObject:
    """The description of a stored object, without its content.

    ``version`` changes with every write (a GCS generation, an S3 or Azure ETag); ``sha256`` is of
    the content; ``rows`` is the row count in the Parquet footer, ``None`` for other files.
    ``attributes`` are set by the writer: the source's URL, its ETag and so on.
    """

    uri: str
    key: str
    size: int
    version: str
    sha256: str
    rows: int | None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def described(self) -> dict[str, str]:
        """As ``NewObject.described()``."""
        return _described(self.sha256, self.rows, self.attributes)


@dataclass(frozen=True, slots=True)
class NewObject:
    """A complete local file to store in the lake, with its description."""

    path: Path
    sha256: str
    rows: int | None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def described(self) -> dict[str, str]:
        """All facts as text, for a store's object metadata; see :func:`facts_of`."""
        return _described(self.sha256, self.rows, self.attributes)


def _described(sha256: str, rows: int | None, attributes: Mapping[str, str]) -> dict[str, str]:
    facts = {**attributes, "sha256": sha256}
    return facts if rows is None else {**facts, "rows": str(rows)}


def facts_of(metadata: Mapping[str, str]) -> tuple[str, int | None, dict[str, str]]:
    """The inverse of ``described()``: sha256 (empty if absent), rows, attributes."""
    attributes = dict(metadata)
    sha256 = attributes.pop("sha256", "")
    rows = attributes.pop("rows", None)
    return sha256, None if rows is None else int(rows), attributes


class LakeStore(ABC):
    """A bucket, a container or a folder, below one prefix.

    Keys are relative to the prefix; ``check_key`` says which are refused. ``put`` and ``copy`` are
    atomic: a reader sees the old object or the new one. Both take ``replacing``, the object that
    the caller found under the key before it started (``None``: there was none), and raise
    ``ConcurrentWrite`` if another run has written since. Transient errors raise
    ``StoreUnavailable``; a missing bucket or permission raises ``Misconfigured``, which names the
    required role.
    """

    url: str

    @abstractmethod
    def find(self, key: str) -> LakeObject | None:
        """The object under ``key``, or ``None``."""

    @abstractmethod
    def put(self, new: NewObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        """Store ``new`` under ``key``. May move the local file: use the returned object."""

    @abstractmethod
    def copy(
        self,
        source: LakeObject,
        key: str,
        *,
        replacing: LakeObject | None,
        attributes: Mapping[str, str] | None = None,
    ) -> LakeObject:
        """Store ``source``'s content under ``key``, without downloading it.

        The copy has ``attributes``; ``None`` stands for those of ``source``.
        Raises ``ConcurrentWrite`` if ``source`` was replaced or deleted since.
        """

    @abstractmethod
    def fetch(self, source: LakeObject, folder: Path) -> Path:
        """A file in ``folder`` with ``source``'s content; do not write to it.

        It stays as it is when the object is replaced or deleted. A download's sha256 is verified;
        a local store's file is linked, or copied where links are refused. Raises
        ``ConcurrentWrite`` if the object was replaced or deleted since it was found.
        """

    @abstractmethod
    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that starts with ``prefix``, in order."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete the object under ``key``, if it exists."""

    def get(self, key: str, *, remedy: str) -> LakeObject:
        """The object under ``key``; raises ``ObjectMissing`` with ``remedy``."""
        found = self.find(key)
        if found is None:
            raise ObjectMissing(f"{self.uri(key)} is not in the lake.", remedy)
        return found

    def uri(self, key: str) -> str:
        """The URI of ``key``, whether or not it exists."""
        return f"{self.url.rstrip('/')}/{key}"


def check_key(key: str) -> None:
    """Raise ``Misconfigured`` for a key that names no object below the lake's prefix.

    Parts that start with a dot are the local lake's own files.
    """
    if any(part.startswith(".") or not part for part in key.split("/")):
        raise Misconfigured(
            f"{key!r} is not a key in the lake.",
            "No part of it may be empty or start with a dot: rename the asset or its partition.",
        )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows_of(path: Path) -> int | None:
    """The row count in a Parquet file's footer; ``None`` for other files.

    Also ``None`` for a damaged file: the error is raised where it is read.
    """
    if path.suffix != ".parquet":
        return None
    try:
        rows: int = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise  # the disk failed, not the file
        return None
    return rows


def concurrent_write(uri: str) -> ConcurrentWrite:
    """The error for a failed precondition."""
    return ConcurrentWrite(WRITTEN_BY_ANOTHER_RUN.format(uri=uri), RUN_AGAIN)
