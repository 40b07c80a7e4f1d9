"""What a lake is: whole objects under keys, put atomically, described without being downloaded.

Belongs here: the interface every store keeps, the handle of a stored object. Does not: any store
(``local``, ``gcs``, ``s3``, ``azure``), opening one from its URL (``opening``), keys (``keys``),
Dagster.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.errors import ConcurrentWrite, ObjectMissing

CHUNK = 1 << 20

WRITTEN_MEANWHILE = (
    "{uri} was written by another run while this one was at work; nothing was stored here."
)
ONE_RUN_FIRST = "Both runs made the same month: let one finish, then run the month again."
MATERIALISE_AGAIN = "Materialise it again."


@dataclass(frozen=True, slots=True)
class LakeObject:
    """A stored object, as a handle: holding one downloads nothing.

    ``version`` changes with every write (a GCS generation, an S3 or Azure ETag); ``sha256`` is of
    the content; ``rows`` is the Parquet footer's count, ``None`` for other files. ``attributes``
    were given by the writer: where the bytes come from, the source's ETag and the like.
    """

    uri: str
    key: str
    size: int
    version: str
    sha256: str
    rows: int | None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewObject:
    """A finished local file on its way into the lake, with what is known of it."""

    path: Path
    sha256: str
    rows: int | None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def described(self) -> dict[str, str]:
        """All facts as flat text, for a store's object metadata; see :func:`facts_of`."""
        facts = {**self.attributes, "sha256": self.sha256}
        return facts if self.rows is None else {**facts, "rows": str(self.rows)}


def facts_of(metadata: Mapping[str, str]) -> tuple[str, int | None, dict[str, str]]:
    """Take ``described()`` apart again: sha256 (empty if absent), rows, attributes."""
    attributes = dict(metadata)
    sha256 = attributes.pop("sha256", "")
    rows = attributes.pop("rows", None)
    return sha256, None if rows is None else int(rows), attributes


class LakeStore(ABC):
    """A bucket, a container or a folder, below one prefix.

    Keys are relative to the prefix. ``put`` and ``copy`` replace an object whole: a reader sees
    the old one or the new one. Both take ``replacing``, the object the caller found under the key
    before it began its work (``None``: there was none), and raise ``ConcurrentWrite`` when
    another run has written since. Transient errors raise ``StoreUnavailable``; a missing bucket or
    permission raises ``Misconfigured`` and names the role needed.
    """

    url: str

    @abstractmethod
    def find(self, key: str) -> LakeObject | None:
        """The object under ``key``, or ``None``."""

    @abstractmethod
    def put(self, new: NewObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        """Store ``new`` under ``key``. The local file may be moved away: use what is returned."""

    @abstractmethod
    def copy(self, source: LakeObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        """Store ``source``'s content and attributes under ``key``; no byte comes through here.

        Raises ``ConcurrentWrite`` when ``source`` is no longer the version named.
        """

    @abstractmethod
    def fetch(self, source: LakeObject, folder: Path) -> Path:
        """A local file with ``source``'s content, its sha256 verified; read it, never write it.

        It lies in ``folder`` unless the store is local itself. Raises ``ObjectMissing`` or
        ``ConcurrentWrite`` when the object has gone or changed.
        """

    @abstractmethod
    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that begins with ``prefix``, in order."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the object under ``key``; nothing there is no error."""

    def get(self, key: str, *, remedy: str) -> LakeObject:
        """The object under ``key``; raises ``ObjectMissing`` with ``remedy``, what to do."""
        found = self.find(key)
        if found is None:
            raise ObjectMissing(f"{self.uri(key)} is not in the lake.", remedy)
        return found

    def uri(self, key: str) -> str:
        """The address of ``key``, whether or not anything is there."""
        return f"{self.url.rstrip('/')}/{key}"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows_of(path: Path) -> int | None:
    """The row count in a Parquet file's footer; ``None`` for a file of another kind.

    A file that is only called Parquet has none either: whoever reads it says what is wrong.
    """
    if path.suffix != ".parquet":
        return None
    try:
        rows: int = pq.read_metadata(path).num_rows
    except pa.ArrowInvalid:
        return None
    return rows


def written_meanwhile(uri: str) -> ConcurrentWrite:
    """The error of a store whose precondition failed."""
    return ConcurrentWrite(WRITTEN_MEANWHILE.format(uri=uri), ONE_RUN_FIRST)
