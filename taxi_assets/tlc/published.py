"""Metadata of a published file from HTTP headers, and the results of a download."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

from taxi_assets.datasets.origin import Origin
from taxi_assets.http_dates import parse_http_date
from taxi_assets.tlc.origin import origin_of
from taxi_assets.tlc.source import RemoteFile

__all__ = [
    "Download",
    "Published",
    "Unchanged",
    "described",
    "range_start",
    "usable_validator",
]

_MD5_ETAG = re.compile(r'"([0-9a-f]{32})"')
# An ETag is kept with the object in the lake, where S3 allows 2 KB for all attributes, in ASCII.
_USABLE = re.compile(r"[ -~]{1,256}")
_LENGTH = re.compile(r"[0-9]{1,20}")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,20})-[0-9]{1,20}/([0-9]{1,20}|\*)")


@dataclass(frozen=True, slots=True)
class Published:
    """One published file, as the headers of a response describe it.

    ``size`` is in bytes. ``etag`` is the header as sent, quotes included, unless it cannot be
    kept (``usable_validator``). ``last_modified`` is aware, in UTC. ``md5`` is the hex digest of
    the bytes where the ETag is one: it is for an S3 object that was put in one piece and is not
    encrypted with KMS. ``origin`` says whose site it is from.
    """

    url: str
    size: int | None
    etag: str | None
    last_modified: datetime | None
    md5: str | None = None
    origin: Origin = field(kw_only=True)

    @property
    def version(self) -> str:
        """The ETag; for a mirror that sends none, the date and the size."""
        if self.etag:
            return self.etag
        modified = self.last_modified.isoformat() if self.last_modified else "undated"
        return f"{modified}, {self.size} bytes"

    @property
    def validator(self) -> str | None:
        """The value for ``If-Range``: a strong ETag, else Last-Modified, else None."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return format_datetime(self.last_modified, usegmt=True) if self.last_modified else None


@dataclass(frozen=True, slots=True)
class Download:
    """A verified local file: path, size in bytes, digest, and its row count.

    ``rows`` is that of a Parquet file's footer or of a month's CSV, and None for other files.
    """

    published: Published
    path: Path
    rows: int | None
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """TLC still publishes the version whose ETag was given; nothing was downloaded."""

    published: Published


def described(source: RemoteFile, headers: Mapping[str, str]) -> Published:
    """Read the headers of a 200, 206 or 304 to a request for ``source``."""
    etag = usable_validator(headers.get("ETag"))
    kms = headers.get("x-amz-server-side-encryption", "").startswith("aws:kms")
    digest = _MD5_ETAG.fullmatch(etag) if etag and not kms else None
    return Published(
        url=source.url,
        size=_size(headers),
        etag=etag,
        last_modified=parse_http_date(headers.get("Last-Modified")),
        md5=digest[1] if digest else None,
        origin=origin_of(source.site, source.file_format, headers),
    )


def usable_validator(text: str | None) -> str | None:
    """An ETag or date, or None for one that cannot be sent or kept: of kilobytes, or not ASCII."""
    return text if text and _USABLE.fullmatch(text) else None


def range_start(headers: Mapping[str, str]) -> int | None:
    """The first byte that a 206 carries; None without a readable Content-Range."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _size(headers: Mapping[str, str]) -> int | None:
    """The length of the whole file, also when only a range is sent."""
    if "Content-Range" in headers:
        match = _CONTENT_RANGE.fullmatch(headers["Content-Range"])
        return int(match[2]) if match and match[2] != "*" else None
    length = headers.get("Content-Length", "")
    return int(length) if _LENGTH.fullmatch(length) else None
