"""The client of TLC's site: is a file published, and download it.

Belongs here: the public calls and the one HTTP connection pool behind them. Does not: the parts
they are made of (``transfer``, ``verify``, ``retries``), or which months a dataset has.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from taxi_assets.datasets.month import Month
from taxi_assets.errors import (
    CorruptDownload,
    Misconfigured,
    MonthNotPublished,
    SourceBlocked,
    SourceUnavailable,
)
from taxi_assets.tlc.answers import faults_named, require_file
from taxi_assets.tlc.part import PartialFile
from taxi_assets.tlc.published import Download, Published, Unchanged, described
from taxi_assets.tlc.retries import Retries, TransientFault
from taxi_assets.tlc.source import RemoteFile, file_of, month_of
from taxi_assets.tlc.transfer import Progress, fill
from taxi_assets.tlc.verify import verified_rows

DEFAULT_URL = "https://d37ci6vzurychx.cloudfront.net"


class TlcClient:
    """Asks TLC's site, or one that looks like it, for files; close it or use it in a ``with``.

    Transient faults (timeouts, cut connections, 408, 429, 5xx) are tried ``attempts`` times in
    all, with growing, jittered waits from ``backoff_seconds``; then ``SourceUnavailable``.
    ``timeout_seconds`` bounds connecting and each silence on the line. One client may be used
    by several threads.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        attempts: int = 5,
        backoff_seconds: float = 0.5,
        timeout_seconds: float = 30.0,
    ) -> None:
        site = _site(url)
        # A password in the address must reach neither messages nor metadata.
        self.url = str(site.copy_with(userinfo=b"")).rstrip("/")
        self._attempts = attempts
        self._backoff_seconds = backoff_seconds
        self._timeout_seconds = timeout_seconds
        self._http = httpx.Client(
            auth=(site.username, site.password) if site.userinfo else None,
            # Offsets and lengths are of the file itself, never of a compressed form.
            headers={
                "User-Agent": f"taxi-assets/{version('taxi-assets')}",
                "Accept-Encoding": "identity",
            },
            timeout=timeout_seconds,
            follow_redirects=True,
            # The simulator is on this machine, where no proxy could find it.
            mounts={"all://127.0.0.1": None, "all://localhost": None},
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
        """Where the month's file is, once published."""
        return month_of(self.url, dataset, month).url

    def published(self, dataset: str, month: Month) -> Published | None:
        """What TLC says of the month's file; None when it answers 403 or 404.

        403 is also what a blocked client gets: see ``is_blocked``. Raises ``SourceUnavailable``,
        and ``SourceBlocked`` when a web page answers in TLC's place.
        """
        return self._published(dataset, month, give_up_at=math.inf)

    def published_many(
        self,
        wanted: Sequence[tuple[str, Month]],
        *,
        concurrency: int = 8,
        deadline_seconds: float,
    ) -> Mapping[tuple[str, Month], Published | None]:
        """``published`` of many (dataset, month) pairs, ``concurrency`` at a time, in order.

        Returns what is known when ``deadline_seconds`` are over. A pair that is missing was not
        asked, not answered in time, or is in passing trouble: nothing is known of it. An error
        that is not passing is raised.
        """
        give_up_at = time.monotonic() + deadline_seconds
        pool = ThreadPoolExecutor(concurrency, thread_name_prefix="tlc")
        try:
            asked = {
                pool.submit(self._published, dataset, month, give_up_at=give_up_at): (
                    dataset,
                    month,
                )
                for dataset, month in wanted
            }
            done, _ = wait(asked, timeout=deadline_seconds)
        finally:
            # Not waiting: a silent server would hold the caller beyond its deadline.
            pool.shutdown(wait=False, cancel_futures=True)
        found: dict[tuple[str, Month], Published | None] = {}
        for future, pair in asked.items():
            if future in done and not isinstance(future.exception(), SourceUnavailable):
                found[pair] = future.result()
        return found

    def is_blocked(self, dataset: str, known_month: Month) -> bool:
        """Whether TLC denies a month that is known to be published: the control probe.

        When it does, its "not published" for any other month means nothing, and the error to
        raise is ``SourceBlocked``.
        """
        return self.published(dataset, known_month) is None

    def download_month(
        self,
        dataset: str,
        month: Month,
        folder: Path,
        *,
        known_etag: str | None = None,
        progress: Progress | None = None,
    ) -> Download | Unchanged:
        """Download the month's file into ``folder`` under its published name, verified.

        With ``known_etag``, a file that still has it is not downloaded: ``Unchanged``. What
        arrives before a failure stays as ``<name>.part`` in ``folder`` and is resumed by the next
        call, in any process. ``progress`` gets the bytes on disk and the size, if known.

        Raises ``MonthNotPublished``, ``CorruptDownload`` (nothing is kept), ``SourceUnavailable``,
        ``ConcurrentWrite`` (another process downloads it there) and ``Misconfigured`` (the disk
        is full, the address is wrong).
        """
        source = month_of(self.url, dataset, month)
        return self._download(source, folder, known_etag=known_etag, progress=progress)

    def download_file(
        self, path: str, folder: Path, *, known_etag: str | None = None
    ) -> Download | Unchanged:
        """Download a file of no month, such as ``misc/taxi_zones.zip``; as ``download_month``."""
        source = file_of(self.url, path)
        return self._download(source, folder, known_etag=known_etag, progress=None)

    def _download(
        self, source: RemoteFile, folder: Path, *, known_etag: str | None, progress: Progress | None
    ) -> Download | Unchanged:
        def whole() -> Download | Unchanged:
            retries = self._retries(source, give_up_at=math.inf)
            published = fill(
                part, source, self._http, retries, known_etag=known_etag, progress=progress
            )
            if isinstance(published, Unchanged):
                return published
            rows = verified_rows(part, source, published)
            return Download(published, part.finish(), rows, part.sha256, part.size)

        with PartialFile(folder / source.file_name, source.url) as part:
            try:
                return whole()
            except CorruptDownload:
                if not part.stitched:
                    raise
                # The fault may lie in the stitching: an old part, a server that ignores If-Range.
                # Only what came in one piece convicts the published file.
                part.restart(None)
            return whole()

    def _published(self, dataset: str, month: Month, *, give_up_at: float) -> Published | None:
        source = month_of(self.url, dataset, month)
        retries = self._retries(source, give_up_at=give_up_at)
        while True:
            timeout = min(self._timeout_seconds, retries.remaining_seconds())
            try:
                return self._head(source, timeout)
            except MonthNotPublished:
                return None
            except TransientFault as fault:
                retries.pause(fault)

    def _head(self, source: RemoteFile, timeout_seconds: float) -> Published:
        with faults_named(source):
            response = self._http.head(source.url, timeout=timeout_seconds)
        require_file(response, source)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise SourceBlocked(
                f"{source.label}: a web page answers at {source.url} in TLC's place. "
                "Log in to the network, or let this machine past its proxy."
            )
        return described(source.url, response.headers)

    def _retries(self, source: RemoteFile, *, give_up_at: float) -> Retries:
        return Retries(
            source.label,
            attempts=self._attempts,
            backoff_seconds=self._backoff_seconds,
            give_up_at=give_up_at,
        )


def _site(url: str) -> httpx.URL:
    try:
        site = httpx.URL(url)
    except httpx.InvalidURL:
        site = httpx.URL()
    if site.scheme not in ("http", "https") or not site.host:
        raise Misconfigured(
            f"{url!r} is no address of a source; set TAXI_TLC_URL to one such as {DEFAULT_URL}."
        )
    return site
