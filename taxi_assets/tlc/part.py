"""The file a download grows in, which outlives a cut line and a killed process.

Belongs here: ``<name>.part``, the ``<name>.part.json`` that says which version it is a part of,
their digests, their lock. Does not: requests, or judging the bytes.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from taxi_assets.errors import ConcurrentWrite, CorruptDownload, Misconfigured
from taxi_assets.tlc.digests import Digests

_CHUNK_BYTES = 1 << 20


class PartialFile:
    """An open, locked part of one file, with the digests of what it holds.

    Leaving the context keeps a part that can be resumed and removes one that is empty, corrupt
    or more than the disk takes.
    ``validator`` names the version the bytes belong to, for ``If-Range``; ``stitched`` says that
    they came in more than one answer.
    """

    def __init__(self, final: Path, url: str) -> None:
        self.path = final.with_name(f"{final.name}.part")
        self.size = 0
        self.validator: str | None = None
        self.stitched = False
        self._final = final
        self._facts = final.with_name(f"{final.name}.part.json")
        self._url = url
        self._disk_refused = False
        self._digests = Digests()

    def __enter__(self) -> Self:
        with self._disk_faults_named():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b", buffering=0)
            try:
                self._lock()
                self._resume()
            except BaseException:
                self._file.close()
                self._digests.close()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, CorruptDownload) or self._disk_refused or not self.size:
            self._remove()
        self._file.close()
        self._digests.close()

    @property
    def sha256(self) -> str:
        """The hex digest of all bytes so far."""
        return self._digests.sha256

    @property
    def md5(self) -> str:
        """The hex digest of all bytes so far, for an ETag that is one."""
        return self._digests.md5

    def restart(self, validator: str | None) -> None:
        """Drop all bytes; those that follow belong to the version that ``validator`` names."""
        with self._disk_faults_named():
            # In this order: old bytes must never lie beside the new version's name.
            self._file.truncate(0)
            self._facts.write_text(json.dumps({"url": self._url, "validator": validator}))
        self.size = 0
        self.validator = validator
        self.stitched = False
        self._digests.close()
        self._digests = Digests()

    def append(self, chunk: bytes) -> None:
        """Write ``chunk`` at the end; raises ``Misconfigured`` when the disk does not take it."""
        with self._disk_faults_named():
            rest = memoryview(chunk)
            while rest:  # a disk that fills up takes a piece before it complains
                rest = rest[self._file.write(rest) :]
        self._count(chunk)

    def finish(self) -> Path:
        """Give the file its final name, replacing what was there, and return it."""
        with self._disk_faults_named():
            self.path.replace(self._final)
            self._facts.unlink(missing_ok=True)
        return self._final

    def _lock(self) -> None:
        """Claim the part; two writers would tear it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A finished download may have renamed the file between its opening and its locking.
            owned = os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except (BlockingIOError, FileNotFoundError):
            owned = False
        if not owned:
            raise ConcurrentWrite(
                f"Another process is downloading {self._url} into {self.path.parent}. "
                "Run it again when that one has finished."
            )

    def _resume(self) -> None:
        """Take over what an earlier process left, if it is known what it is a part of."""
        try:
            facts = json.loads(self._facts.read_text())
            validator = facts["validator"] if facts["url"] == self._url else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            validator = None
        if validator is None:
            self._file.truncate(0)
            return
        self.validator = validator
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK_BYTES):
            self._count(chunk)

    def _count(self, chunk: bytes) -> None:
        self._digests.update(chunk)
        self.size += len(chunk)

    def _remove(self) -> None:
        self._facts.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    @contextmanager
    def _disk_faults_named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._disk_refused = True  # keeping half a file would keep a full disk full
            raise Misconfigured(
                f"{self._final.name} cannot be written to {self.path.parent}: {error.strerror}. "
                "Free space there or choose another folder; nothing was kept."
            ) from error
