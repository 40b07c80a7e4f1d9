"""A published file as an HTTP object: ETag, date, ``Range``, ``If-Range``, ``If-None-Match``."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from dataclasses import dataclass
from email.message import Message
from email.utils import formatdate
from io import BufferedReader

__all__ = ["Checksums", "Object", "Unsatisfiable"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Unsatisfiable(ValueError):
    """The requested range is outside the object."""


@dataclass(frozen=True, slots=True)
class Object:
    """Size and validators of a file that is being served."""

    size: int
    etag: str
    modified: str

    def unchanged_for(self, headers: Message) -> bool:
        """Whether ``If-None-Match`` names this content."""
        tags = headers.get("If-None-Match", "").split(",")
        known = [tag.strip().removeprefix("W/") for tag in tags]
        return self.etag in known or "*" in known

    def range_for(self, headers: Message) -> tuple[int, int] | None:
        """First and last requested byte; None for the whole object.

        Like S3, it returns the whole object for several ranges, an invalid one, or an ``If-Range``
        that names other content. Raises :class:`Unsatisfiable`.
        """
        match = _RANGE.fullmatch(headers.get("Range", ""))
        if not match or match.groups() == ("", ""):
            return None
        if headers.get("If-Range", self.etag) not in (self.etag, self.modified):
            return None
        begin, end = match.groups()
        if begin == "":
            first, last = max(0, self.size - int(end)), self.size - 1
        else:
            first, last = int(begin), min(int(end or self.size), self.size - 1)
            if end and int(end) < first:
                return None
        if first >= self.size:
            raise Unsatisfiable(f"{headers['Range']} of {self.size} bytes")
        return first, last


class Checksums:
    """MD5 ETags of files, computed once per content."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], str] = {}
        self._lock = threading.Lock()

    def describe(self, file: BufferedReader) -> Object:
        """Size, ETag and date of an open file; leaves it at its start."""
        found = os.fstat(file.fileno())
        key = (found.st_ino, found.st_mtime_ns, found.st_size)
        with self._lock:
            if key not in self._known:
                # S3's ETag of an object that was put in one part is its MD5.
                self._known[key] = hashlib.file_digest(file, "md5").hexdigest()
                file.seek(0)
            digest = self._known[key]
        return Object(found.st_size, f'"{digest}"', formatdate(found.st_mtime, usegmt=True))
