"""What the assets are given besides their inputs, as resources that the UI shows and configures.

https://docs.dagster.io/guides/build/external-resources. Values come from ``settings``; lake and
warehouse are IO managers and stand in their own packages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
from pydantic import PrivateAttr
from typing_extensions import override

from taxi_assets.datasets.stored import Part
from taxi_assets.errors import ObjectMissing
from taxi_assets.lake.handles import PreviousMonth, StoredFile
from taxi_assets.lake.lake import Lake
from taxi_assets.lake.scratch import RunFolder
from taxi_assets.tlc import DEFAULT_URL, TlcClient

Made = TypeVar("Made")

__all__ = ["Limits", "Previous", "Scratch", "TlcSource"]


class TlcSource(dg.ConfigurableResource):  # type: ignore[type-arg]  # generic only in its stubs
    """TLC's site, or one that looks like it. ``backoff_seconds`` is the first retry's wait."""

    url: str = DEFAULT_URL
    attempts: int = 5
    backoff_seconds: float = 0.5
    timeout_seconds: float = 30.0

    @contextmanager
    def client(self) -> Iterator[TlcClient]:
        """A client that is closed afterwards."""
        with TlcClient(
            self.url,
            attempts=self.attempts,
            backoff_seconds=self.backoff_seconds,
            timeout_seconds=self.timeout_seconds,
        ) as client:
            yield client


class Limits(dg.ConfigurableResource):  # type: ignore[type-arg]  # the same
    """Bounds of the work on a month, and the counts it is compared with.

    ``memory_limit`` is DuckDB's own memory; ``row_counts`` a CSV of trusted published counts;
    ``lag_months`` how many whole months after its end a month should be there.
    """

    memory_limit: str = "512MB"
    row_counts: str | None = None
    lag_months: int = 2

    @property
    def trusted_counts(self) -> Path | None:
        """The CSV of trusted counts, if one is set."""
        return Path(self.row_counts) if self.row_counts else None


class Scratch(dg.ConfigurableResource):  # type: ignore[type-arg]  # the same
    """Local disk for files on their way, below ``root`` (``None``: the system's own folder)."""

    root: str | None = None

    _run_folder: RunFolder | None = PrivateAttr(default=None)
    _made: dict[str, Any] = PrivateAttr(default_factory=dict)

    @override
    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._run_folder is not None:
            self._run_folder.remove()

    @property
    def folder(self) -> Path:
        """This run's folder, removed when the run ends."""
        if self._run_folder is None:
            self._run_folder = RunFolder(Path(self.root) if self.root else None)
        return self._run_folder.path

    @property
    def downloads(self) -> Path:
        """Where a download may wait, half done, for the next run to resume it."""
        return Path(self.root) / "downloads" if self.root else self.folder

    def once(
        self, what: str, make: Callable[[], Made], files: Callable[[Made], Iterable[Path]]
    ) -> Made:
        """What ``make`` returned for ``what`` in this run, as long as its ``files`` are there.

        A step that is retried because a store failed does not do its own work again.
        """
        made: Made | None = self._made.get(what)
        if made is None or not all(path.exists() for path in files(made)):
            made = self._made[what] = make()
        return made


class Previous(dg.ConfigurableResource):  # type: ignore[type-arg]  # the same
    """What an asset made last, as handles; ``url`` and ``scratch`` are the lake's own."""

    url: str
    scratch: str | None = None

    _lake: Lake | None = PrivateAttr(default=None)

    @override
    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._lake is not None:
            self._lake.close()

    def file(self, context: dg.AssetExecutionContext) -> StoredFile | None:
        """The file that the asset keeps for the run's month now, if it keeps one."""
        try:
            return self._opened().file(context.asset_key.path, context.partition_key, Part.TRIPS)
        except ObjectMissing:
            return None

    def month(self, context: dg.AssetExecutionContext) -> PreviousMonth:
        """What the asset keeps for the run's month now."""
        return self._opened().previous_month(context.asset_key.path, context.partition_key)

    def _opened(self) -> Lake:
        if self._lake is None:
            self._lake = Lake(self.url, self.scratch)
        return self._lake
