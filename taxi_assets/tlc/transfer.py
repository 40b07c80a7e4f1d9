"""The GET requests of a download: conditional, resumed by range, retried.

``verify`` checks the bytes afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import httpx

from taxi_assets.errors import CorruptDownload
from taxi_assets.tlc.part import PartialFile
from taxi_assets.tlc.published import Published, Unchanged, described, range_start, usable_validator
from taxi_assets.tlc.responses import require_file, translated_http_errors
from taxi_assets.tlc.retries import AttemptFailed, Retries
from taxi_assets.tlc.source import RemoteFile
from taxi_assets.tlc.verify import corrupt

__all__ = ["Progress", "fill"]

# Called with the bytes on disk so far and the file's size, None if TLC did not send it.
Progress = Callable[[int, int | None], None]

# An attempt that received at least this much resets the count of failed attempts.
_PROGRESS_BYTES = 1 << 20

# 26 times the largest month that TLC has published, and less than the disk of any machine for it.
_MOST_BYTES = 16 << 30


def fill(
    part: PartialFile,
    source: RemoteFile,
    http: httpx.Client,
    retries: Retries,
    *,
    known_etag: str | None,
    progress: Progress | None,
) -> Published | Unchanged:
    """Download ``source`` into ``part``; ``Unchanged`` if it still has ``known_etag``."""
    known_etag = usable_validator(known_etag)
    furthest = part.size
    while True:
        try:
            return _attempt(part, source, http, known_etag, progress)
        except AttemptFailed as failure:
            retries.pause(failure, progressed=part.size >= furthest + _PROGRESS_BYTES)
            furthest = max(furthest, part.size)


def _attempt(
    part: PartialFile,
    source: RemoteFile,
    http: httpx.Client,
    known_etag: str | None,
    progress: Progress | None,
) -> Published | Unchanged:
    headers = _conditions(part, known_etag)
    with (
        translated_http_errors(source),
        http.stream("GET", source.url, headers=headers) as response,
    ):
        published = described(source, response.headers)
        if known_etag and response.status_code == 304:
            part.restart(None)
            return Unchanged(_without_body(published, known_etag))
        if response.status_code == 416:
            part.restart(None)
            raise AttemptFailed(f"{source.url} is shorter than what was downloaded of it")
        require_file(response, source)
        most = _most_bytes(source, response, published)
        if response.status_code == 206:
            _require_continuation(part, source, response, published)
        else:
            part.restart(published.validator)
        for chunk in response.iter_raw():
            if part.size + len(chunk) > most:
                raise corrupt(
                    source, f"it has more than {most} bytes, the announced or allowed size"
                )
            part.append(chunk)
            if progress:
                progress(part.size, published.size)
    if published.size is not None and part.size < published.size:
        raise AttemptFailed(f"{source.url} stopped at {part.size} of {published.size} bytes")
    return published


def _most_bytes(source: RemoteFile, response: httpx.Response, published: Published) -> int:
    """The size at which the download ends; raises ``CorruptDownload`` if it cannot be the file."""
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        # Neither length nor digest are the file's, and a small body may decode to a full disk.
        raise CorruptDownload(
            f"{source.label}: {source.url} answered with a body encoded as {encoding[:40]!r}, "
            "which was not asked for. Nothing was kept.",
            "Let this machine past the proxy that encodes it, or publish the file as it is.",
        )
    if published.size is not None and published.size > _MOST_BYTES:
        raise corrupt(source, f"it would have {published.size} bytes; {_MOST_BYTES} are allowed")
    return _MOST_BYTES if published.size is None else published.size


def _conditions(part: PartialFile, known_etag: str | None) -> dict[str, str]:
    headers = {}
    if known_etag:
        headers["If-None-Match"] = known_etag
    if part.size and part.validator:
        headers["Range"] = f"bytes={part.size}-"
        headers["If-Range"] = part.validator
    return headers


def _require_continuation(
    part: PartialFile, source: RemoteFile, response: httpx.Response, published: Published
) -> None:
    """Accept a 206 only if it starts where the part ends, in the same version of the file."""
    start = range_start(response.headers)
    if start != part.size or published.validator not in (None, part.validator):
        part.restart(None)
        raise AttemptFailed(f"{source.url} was resumed at byte {start} of another version")
    part.resumed = True


def _without_body(published: Published, known_etag: str) -> Published:
    """A 304 has no body, so no length, and may omit the ETag that it confirms."""
    return replace(published, size=None, etag=published.etag or known_etag, md5=None)
