"""Verification of a downloaded file: length, digest and format.

The rows of CSV are its lines here, and what a parser finds in ``cleaning``. The audit compares the
two, as it compares a Parquet footer with the rows.

A file that fails is named for what it is (an HTML page, a Git LFS pointer, a truncated file). Its
columns and values are checked by ``cleaning``.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.errors import CorruptDownload
from taxi_assets.tlc.part import PartialFile
from taxi_assets.tlc.published import Published
from taxi_assets.tlc.source import RemoteFile

__all__ = ["corrupt", "verified_rows"]

_PARQUET_MAGIC = b"PAR1"
_HEAD_BYTES = 4096
_MOST_UNPACKED_BYTES = 256 << 20  # a hundred times TLC's zone shapes
# What zipfile raises for an archive that is damaged, encrypted or compressed in a way of its own;
# RuntimeError includes NotImplementedError.
_UNREADABLE_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)
_UNREADABLE_GZIP = (OSError, EOFError, zlib.error)
_LONGEST_LINE = 1 << 20  # a thousand times TLC's
_S3_CODE = re.compile(rb"<Code>([^<]{1,80})</Code>")


def verified_rows(part: PartialFile, source: RemoteFile, published: Published) -> int | None:
    """The row count of a Parquet footer, or the lines of CSV after its header; else None.

    Raises ``CorruptDownload`` with what the file is instead.
    """
    reason = _substitute(part.path) or _difference(part, published)
    if reason:
        raise corrupt(source, reason)
    suffix = Path(source.file_name).suffix
    if suffix == ".zip":
        _require_zip(part.path, source)
    if suffix == ".parquet":
        return _footer_rows(part.path, source)
    if source.file_name.endswith((".csv", ".csv.gz")):
        return _csv_rows(part.path, source)
    return None


def _substitute(path: Path) -> str | None:
    """What was served instead of the file: a web page, an XML error, a Git LFS pointer."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return "it is empty"
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the file it points to; fetch it with git lfs"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return "it is an HTML page; it may come from a proxy or a login page"
    if start.startswith((b"<?xml", b"<error")):
        code = _S3_CODE.search(head)
        return f"it is an XML page, with S3's code {code[1].decode()}" if code else "it is XML"
    return None


def _difference(part: PartialFile, published: Published) -> str | None:
    if published.size is not None and part.size != published.size:
        return f"it has {part.size} bytes instead of the announced {published.size}"
    if published.md5 is not None and part.md5 != published.md5:
        return f"its MD5 is {part.md5}, but the ETag says {published.md5}"
    return None


def _footer_rows(path: Path, source: RemoteFile) -> int:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(-min(4, path.stat().st_size), 2)
        tail = file.read()
    if head != _PARQUET_MAGIC:
        raise corrupt(source, f"it begins with {head!r}, not with Parquet's PAR1")
    if tail != _PARQUET_MAGIC:
        raise corrupt(
            source, f"it is truncated: {path.stat().st_size} bytes without Parquet's footer"
        )
    try:
        rows: int = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]  # Arrow's has several lines
        raise corrupt(source, f"its Parquet footer cannot be read ({reason})") from error
    if rows < 0:
        raise corrupt(source, f"its Parquet footer has a row count of {rows}")
    return rows


def _csv_rows(path: Path, source: RemoteFile) -> int:
    """Lines with content after the first; reads a compressed file to its checksum at the end."""
    opened = gzip.open if source.file_name.endswith(".gz") else open
    lines = 0
    try:
        with opened(path, "rb") as file:
            while line := file.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise corrupt(source, f"it has a line of more than {_LONGEST_LINE} bytes")
                lines += bool(line.strip())
    except _UNREADABLE_GZIP as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk failed, not the file
        raise corrupt(source, f"it is not a complete gzip file ({error})") from error
    if not lines:
        raise corrupt(source, "it has no header")
    return lines - 1


def _require_zip(path: Path, source: RemoteFile) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
            if unpacked > _MOST_UNPACKED_BYTES:
                raise corrupt(source, f"it unpacks to {unpacked} bytes")
            broken = archive.testzip()
    except _UNREADABLE_ZIP as error:
        raise corrupt(source, f"it is not a complete zip archive ({error})") from error
    if broken:
        raise corrupt(source, f"{broken} in the zip archive is damaged")


def corrupt(source: RemoteFile, reason: str) -> CorruptDownload:
    """The error of a download that is not the file: ``reason`` says of it what it is instead."""
    return CorruptDownload(
        f"{source.label}: the download from {source.url} is not the published file: {reason}. "
        "It was deleted.",
        "Open the address in a browser; if the file is complete there, run it again.",
    )
