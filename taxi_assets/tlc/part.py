"""The partial file of a download, which survives a cut connection and a killed process.

``<name>.part`` holds the bytes and ``<name>.part.json`` the version of the file they are from, so
that another process can resume. A lock keeps two processes from writing the same part.
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
from taxi_assets.machine_errors import named_machine_errors
from taxi_assets.tlc.digests import Digests
from taxi_assets.tlc.published import usable_validator

__all__ = ["PartialFile"]

_CHUNK_BYTES = 1 << 20


class PartialFile:
    """An open, locked partial file in ``folder``, to become ``final``, with digests of its bytes.

    On exit, a part that can be resumed is kept; one that is empty, corrupt or failed to be written
    is removed. ``validator`` names the version of the file for ``If-Range``; ``resumed`` says that
    the bytes came in more than one response.
    """

    def __init__(self, final: Path, url: str, folder: Path) -> None:
        self.path = folder / f"{final.name}.part"
        self.size = 0
        self.validator: str | None = None
        self.resumed = False
        self._final = final
        self._version_file = folder / f"{final.name}.part.json"
        self._url = url
        self._disk_failed = False
        self._digests = Digests()

    def __enter__(self) -> Self:
        with self._translated_disk_errors():
            for folder in (self.path.parent, self._final.parent):
                folder.mkdir(parents=True, exist_ok=True)
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
        if isinstance(error, CorruptDownload) or self._disk_failed or not self.size:
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
        """Drop all bytes and begin the version that ``validator`` names."""
        with self._translated_disk_errors():
            # In this order: old bytes must never be recorded as the new version's.
            self._file.truncate(0)
            self._version_file.write_text(json.dumps({"url": self._url, "validator": validator}))
        self.size = 0
        self.validator = validator
        self.resumed = False
        self._digests.close()
        self._digests = Digests()

    def append(self, chunk: bytes) -> None:
        """Write ``chunk`` at the end; raises ``Misconfigured`` when the disk is full."""
        with self._translated_disk_errors():
            rest = memoryview(chunk)
            while rest:  # a disk that fills up accepts a part before it raises
                rest = rest[self._file.write(rest) :]
        self._count(chunk)

    def finish(self) -> Path:
        """Rename the file to its final name, replacing any older file, and return its path."""
        with self._translated_disk_errors():
            self.path.replace(self._final)
            self._version_file.unlink(missing_ok=True)
        return self._final

    def _lock(self) -> None:
        """Take the lock, or raise ``ConcurrentWrite``."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A finished download may have renamed the file between open and lock.
            owned = os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except (BlockingIOError, FileNotFoundError):
            owned = False
        if not owned:
            raise ConcurrentWrite(
                f"Another process is downloading {self._url} into {self.path.parent}.",
                "Run it again when that one has finished.",
            )

    def _resume(self) -> None:
        """Take over an earlier process's bytes if their version is known."""
        try:
            recorded = json.loads(self._version_file.read_text())
            validator = recorded["validator"] if recorded["url"] == self._url else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            validator = None
        if not (isinstance(validator, str) and usable_validator(validator)):
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
        self._version_file.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    @contextmanager
    def _translated_disk_errors(self) -> Iterator[None]:
        try:
            with named_machine_errors(f"Writing {self._final.name} to {self.path.parent}"):
                yield
        except Misconfigured:
            self._disk_failed = True  # a kept part would keep the disk full
            raise
