"""The resources of the assets, configured from ``settings`` and shown in the UI.

https://docs.dagster.io/guides/build/external-resources. The lake and the warehouse are IO managers
in their own packages.
"""

# Without annotations as strings: Dagster recognizes a ResourceDependency by its type.

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
from pydantic import Field, PrivateAttr
from typing_extensions import override

from taxi_assets.addresses import shown
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.origin import Origin, require_unmixed
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.datasets.stored import Part
from taxi_assets.errors import ObjectMissing
from taxi_assets.lake.handles import PreviousMonth, StoredFile
from taxi_assets.lake.io_manager import LakeIOManager
from taxi_assets.lake.lake import Lake
from taxi_assets.lake.scratch import RunFolder
from taxi_assets.row_counts import TrustedCount, packaged_counts, read_counts
from taxi_assets.tlc import DEFAULT_URL, TlcClient

Made = TypeVar("Made")

__all__ = ["Limits", "Previous", "Scratch", "TlcSource"]


class TlcSource(dg.ConfigurableResource):  # type: ignore[type-arg]  # generic only in its stubs
    """TLC's site or a copy of it. ``backoff_seconds`` is the delay before the first retry.

    A redirect is followed to the site's own host, and to ``redirect_hosts``: names with their port,
    unless that is the scheme's own. ``file_format`` is the format of its months, as their suffix.
    """

    url: str = DEFAULT_URL
    attempts: int = 5
    backoff_seconds: float = 0.5
    timeout_seconds: float = 30.0
    redirect_hosts: list[str] = Field(default_factory=list)
    file_format: str = FileFormat.PARQUET.value

    @contextmanager
    def client(self) -> Iterator[TlcClient]:
        """A client, closed at the end of the block."""
        with TlcClient(
            self.url,
            attempts=self.attempts,
            backoff_seconds=self.backoff_seconds,
            timeout_seconds=self.timeout_seconds,
            redirect_hosts=self.redirect_hosts,
            file_format=FileFormat(self.file_format),
        ) as client:
            yield client


class Limits(dg.ConfigurableResource):  # type: ignore[type-arg]  # the same
    """Limits of the work on a month, and expectations of it.

    ``memory_limit`` limits DuckDB's own memory; ``row_counts`` is a CSV of row counts that add to
    those of the package or replace them (columns dataset, month, rows, optionally published);
    ``lag_months`` is the number of whole months after its end by which a month should be loaded.
    """

    memory_limit: str = "512MB"
    row_counts: str | None = None
    lag_months: int = 2

    def trusted_count(
        self, spec: DatasetSpec, month: Month, origin: str | None
    ) -> TrustedCount | None:
        """The known count of TLC's file of the month, if there is one.

        A file whose ``origin`` is not TLC or a mirror of it has none.
        """
        if origin not in (Origin.TLC, Origin.MIRROR):
            return None
        own = read_counts(Path(self.row_counts)) if self.row_counts else {}
        return own.get((spec.name, month)) or packaged_counts().get((spec.name, month))


class Scratch(dg.ConfigurableResource):  # type: ignore[type-arg]  # the same
    """Local disk for temporary files, below ``root`` (``None``: the system's folder)."""

    root: str | None = None

    _run_folder: RunFolder | None = PrivateAttr(default=None)
    _made: dict[str, Any] = PrivateAttr(default_factory=dict)

    @override
    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._run_folder is not None:
            self._run_folder.remove()

    @property
    def folder(self) -> Path:
        """The run's folder, removed at the end of the run."""
        if self._run_folder is None:
            self._run_folder = RunFolder(Path(self.root) if self.root else None)
        return self._run_folder.path

    @property
    def downloads(self) -> Path:
        """The folder of partial downloads, which the next run resumes."""
        return Path(self.root) / "downloads" if self.root else self.folder

    def once(
        self, what: str, make: Callable[[], Made], files: Callable[[Made], Iterable[Path]]
    ) -> Made:
        """The result of ``make``, called once per run for ``what`` as long as its ``files`` exist.

        A step that is retried because storing failed does not repeat its work.
        """
        made: Made | None = self._made.get(what)
        if made is None or not all(path.exists() for path in files(made)):
            made = self._made[what] = make()
        return made


class Previous(dg.ConfigurableResource):  # type: ignore[type-arg]  # the same
    """What an asset has stored in ``lake``, as handles."""

    lake: dg.ResourceDependency[LakeIOManager]

    def file(self, context: dg.AssetExecutionContext) -> StoredFile | None:
        """The asset's stored file, for the run's month if it is monthly; ``None`` without one."""
        partition = context.partition_key if context.has_partition_key else None
        try:
            return self._stored.file(context.asset_key.path, partition, Part.TRIPS)
        except ObjectMissing:
            return None

    def month(self, context: dg.AssetExecutionContext) -> PreviousMonth:
        """The asset's stored trips and rejects for the run's month."""
        return self._stored.previous_month(context.asset_key.path, context.partition_key)

    def require_origin(self, origin: Origin, what: str) -> None:
        """Raise ``Misconfigured`` if ``what`` would mix generated with published files."""
        lake = self._stored
        require_unmixed(origin, lake.origins(), what, f"the lake {shown(lake.store.url)}")

    def published_rows(self, spec: DatasetSpec, month: Month) -> int | None:
        """The rows of the file that the stored month was cleaned from, if there is one."""
        return self._stored.published_rows(spec, month)

    @property
    def _stored(self) -> Lake:
        return self.lake.lake
