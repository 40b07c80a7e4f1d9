"""``TlcClient``: check whether a file is published, and download it.

It holds the one HTTP connection pool; ``transfer``, ``verify`` and ``retries`` do the work.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.month import Month
from taxi_assets.errors import (
    CorruptDownload,
    MonthNotPublished,
    SourceBlocked,
    SourceUnavailable,
)
from taxi_assets.tlc.origin import DEFAULT_URL
from taxi_assets.tlc.part import PartialFile
from taxi_assets.tlc.published import Download, Published, Unchanged, described
from taxi_assets.tlc.responses import require_file, translated_http_errors
from taxi_assets.tlc.retries import AttemptFailed, Retries
from taxi_assets.tlc.source import RemoteFile, file_of, month_of, site_of
from taxi_assets.tlc.transfer import Progress, fill
from taxi_assets.tlc.transport import Transport
from taxi_assets.tlc.verify import verified_rows

__all__ = ["TlcClient"]

# A server that has no HEAD. Not 403: that is TLC's answer for a month that is not published.
_HEAD_REFUSED = (400, 405, 501)


class TlcClient:
    """A client of TLC's site or of a mirror; close it or use it in a ``with``.

    Transient errors (timeouts, cut connections, 408, 429, 5xx) are retried, up to ``attempts``
    requests in all with exponential backoff and jitter from ``backoff_seconds``; then
    ``SourceUnavailable`` is raised. ``timeout_seconds`` bounds the connect and each read; a
    response that stays slower than 16 KiB a second for twice as long is cut, which is transient.

    A redirect is followed to the same host or to one of ``redirect_hosts`` (with its port, unless
    that is the scheme's own), never from https to http. Several threads may share a client.
    ``file_format`` is the format of the site's months.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        attempts: int = 5,
        backoff_seconds: float = 0.5,
        timeout_seconds: float = 30.0,
        redirect_hosts: Collection[str] = (),
        file_format: FileFormat = FileFormat.PARQUET,
    ) -> None:
        site = site_of(url)
        # A password in the address must reach neither messages nor metadata.
        self.url = str(site.copy_with(userinfo=b"")).rstrip("/")
        self._file_format = file_format
        self._attempts = attempts
        self._backoff_seconds = backoff_seconds
        self._http = httpx.Client(
            auth=(site.username, site.password) if site.userinfo else None,
            # Offsets and lengths are of the file itself, never of a compressed form.
            headers={
                "User-Agent": f"taxi-assets/{version('taxi-assets')}",
                "Accept-Encoding": "identity",
            },
            timeout=timeout_seconds,
            transport=Transport(site, redirect_hosts),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def month_url(self, dataset: str, month: Month) -> str:
        """The address of the month's file, published or not."""
        return month_of(self.url, dataset, month, self._file_format).url

    def published(self, dataset: str, month: Month) -> Published | None:
        """The headers of the month's file; None when TLC answers 403 or 404.

        A blocked client gets 403 too: see ``is_blocked``. Raises ``SourceUnavailable``, and
        ``SourceBlocked`` when a web page is served instead of the file.
        """
        return self._published(
            month_of(self.url, dataset, month, self._file_format), give_up_at=math.inf
        )

    def published_file(self, path: str, *, deadline_seconds: float) -> Published | None:
        """``published`` for a file of no month, such as ``misc/taxi_zones.zip``.

        Raises ``SourceUnavailable`` if it is not answered within ``deadline_seconds``.
        """
        give_up_at = time.monotonic() + deadline_seconds
        source = file_of(self.url, path, self._file_format)
        return self._published(source, give_up_at=give_up_at)

    def published_many(
        self,
        pairs: Sequence[tuple[str, Month]],
        *,
        concurrency: int = 8,
        deadline_seconds: float,
    ) -> Mapping[tuple[str, Month], Published | None]:
        """``published`` for many (dataset, month) ``pairs``, ``concurrency`` at a time, in order.

        Returns the results that are in after ``deadline_seconds``. Nothing is known of a pair
        that is missing from them: it was not requested, not answered in time, or failed with a
        transient error. A permanent error is raised. Requests that are still answered then end too,
        all but the resolution of a name, which cannot be interrupted.
        """
        give_up_at = time.monotonic() + deadline_seconds
        pool = ThreadPoolExecutor(concurrency, thread_name_prefix="tlc")
        try:
            requests = {
                pool.submit(
                    self._published,
                    month_of(self.url, dataset, month, self._file_format),
                    give_up_at=give_up_at,
                ): (dataset, month)
                for dataset, month in pairs
            }
            done, _ = wait(requests, timeout=deadline_seconds)
        finally:
            # Do not wait: a hanging server would hold the caller beyond its deadline.
            pool.shutdown(wait=False, cancel_futures=True)
        found: dict[tuple[str, Month], Published | None] = {}
        for future, pair in requests.items():
            if future in done and not isinstance(future.exception(), SourceUnavailable):
                found[pair] = future.result()
        return found

    def is_blocked(self, dataset: str, known_month: Month) -> bool:
        """The control probe: whether TLC denies a month that is known to be published.

        If it does, a 403 for any other month does not mean that it is unpublished: raise
        ``SourceBlocked``.
        """
        return self.published(dataset, known_month) is None

    def download_month(
        self,
        dataset: str,
        month: Month,
        folder: Path,
        *,
        parts: Path | None = None,
        known_etag: str | None = None,
        progress: Progress | None = None,
    ) -> Download | Unchanged:
        """Download the month's file into ``folder`` under its published name and verify it.

        If the file still has ``known_etag``, it is not downloaded and ``Unchanged`` is returned.
        An interrupted download stays in ``parts`` (by default ``folder``) as ``<name>.part``; the
        next call, in any process, resumes it. If several processes share ``parts``, each needs a
        ``folder`` of its own. ``progress`` is called with the bytes on disk and the size, if known.

        Raises ``MonthNotPublished``, ``CorruptDownload`` (nothing is kept), ``SourceUnavailable``,
        ``ConcurrentWrite`` (another process is downloading it there) and ``Misconfigured`` (the
        disk is full, the address is wrong).
        """
        source = month_of(self.url, dataset, month, self._file_format)
        return self._download(
            source, folder, parts or folder, known_etag=known_etag, progress=progress
        )

    def download_file(
        self, path: str, folder: Path, *, known_etag: str | None = None
    ) -> Download | Unchanged:
        """``download_month`` for a file of no month, such as ``misc/taxi_zones.zip``."""
        source = file_of(self.url, path, self._file_format)
        return self._download(source, folder, folder, known_etag=known_etag, progress=None)

    def _download(
        self,
        source: RemoteFile,
        folder: Path,
        parts: Path,
        *,
        known_etag: str | None,
        progress: Progress | None,
    ) -> Download | Unchanged:
        def attempt() -> Download | Unchanged:
            retries = self._retries(source, give_up_at=math.inf)
            published = fill(
                part, source, self._http, retries, known_etag=known_etag, progress=progress
            )
            if isinstance(published, Unchanged):
                return published
            rows = verified_rows(part, source, published)
            return Download(published, part.finish(), rows, part.sha256, part.size)

        with PartialFile(folder / source.file_name, source.url, parts) as part:
            try:
                return attempt()
            except CorruptDownload:
                if not part.resumed:
                    raise
                # The resumption may be at fault: a damaged part, a server that ignores If-Range.
                # Only a download in one piece shows that the published file is corrupt.
                part.restart(None)
            return attempt()

    def _published(self, source: RemoteFile, *, give_up_at: float) -> Published | None:
        retries = self._retries(source, give_up_at=give_up_at)
        while True:
            retries.require_time()
            try:
                return self._head(source, give_up_at)
            except MonthNotPublished:
                return None
            except AttemptFailed as failure:
                retries.pause(failure)

    def _head(self, source: RemoteFile, give_up_at: float) -> Published:
        bound = {"give_up_at": give_up_at}
        with translated_http_errors(source):
            response = self._http.head(source.url, extensions=bound)
            if response.status_code in _HEAD_REFUSED:
                # One byte is asked for, and the body left unread if the server sends all of it.
                one_byte = {"Range": "bytes=0-0"}
                with self._http.stream(
                    "GET", source.url, headers=one_byte, extensions=bound
                ) as response:
                    pass
        require_file(response, source)
        if response.headers.get("Content-Type", "").lower().startswith("text/html"):
            raise SourceBlocked(
                f"{source.label}: {source.url} answered with a web page instead of the file.",
                "Log in to the network, or let this machine past its proxy.",
            )
        return described(source, response.headers)

    def _retries(self, source: RemoteFile, *, give_up_at: float) -> Retries:
        return Retries(
            source.label,
            attempts=self._attempts,
            backoff_seconds=self._backoff_seconds,
            give_up_at=give_up_at,
        )
