"""The table that a command prints at its end: the rows of each month in lake and warehouse."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets import DatasetSpec, Month
from taxi_assets.datasets.month import several
from taxi_assets.datasets.stored import Part
from taxi_assets.lake import attributes, keys
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.store import LakeObject
from taxi_assets.settings import Settings
from taxi_assets.upgrade import outdated_in_warehouse
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.warehouse.tables import table_of

__all__ = ["Counted", "Counter", "table"]

_HEADER = ("dataset", "month", "published", "clean", "rejected", "in lake", "in warehouse", "s")
_LINE = "{:<8} {:<8} {:>11} {:>11} {:>9} {:>11} {:>13} {:>7}"

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Counted:
    """Row counts of one month; ``None`` where it is not stored or could not be counted."""

    dataset: str
    month: Month
    published: int | None
    clean: int | None
    rejected: int | None
    lake: int | None
    warehouse: int | None


class Counter:
    """Counts months in the lake's objects and the warehouse's tables.

    ``uncounted`` holds the error if one of the two failed; it is not queried again.
    """

    def __init__(self, settings: Settings) -> None:
        self.uncounted: dict[str, str] = {}
        self._file_format = settings.source_format
        self._store = self._query("lake", lambda: open_store(settings.lake_url))
        self._warehouse = self._query(
            "warehouse",
            lambda: open_warehouse(settings.warehouse_url, memory_limit=settings.memory_limit),
        )

    @property
    def lake_url(self) -> str:
        """The lake's URL, to show; ``-`` if it could not be opened."""
        return self._store.url if self._store else "-"

    @property
    def warehouse_url(self) -> str:
        """The warehouse's URL, to show; ``-`` if it could not be opened."""
        return self._warehouse.url if self._warehouse else "-"

    def count(self, spec: DatasetSpec, month: Month) -> Counted:
        """Count one month."""
        cleaned = self._found(keys.staging(spec, month))
        return Counted(
            dataset=spec.name,
            month=month,
            published=self._rows(keys.raw(spec, month, self._file_format)),
            clean=cleaned.rows if cleaned else None,
            rejected=_rejected(cleaned),
            lake=self._rows(keys.published(spec, month)),
            warehouse=self._loaded(table_of(spec, Part.TRIPS).name, month),
        )

    def outdated(self, datasets: Collection[str]) -> str:
        """The months in the warehouse that an older release stored, as text."""
        warehouse = self._warehouse
        found = (
            self._query("warehouse", lambda: outdated_in_warehouse(warehouse, datasets))
            if warehouse
            else None
        )
        by_dataset: dict[str, list[Month]] = {}
        for name, month in found or ():
            by_dataset.setdefault(name, []).append(month)
        return "; ".join(f"{name} {several(months)}" for name, months in by_dataset.items())

    def _rows(self, key: str) -> int | None:
        found = self._found(key)
        return found.rows if found else None

    def _found(self, key: str) -> LakeObject | None:
        store = self._store
        return self._query("lake", lambda: store.find(key)) if store else None

    def _loaded(self, table_name: str, month: Month) -> int | None:
        warehouse = self._warehouse
        return (
            self._query("warehouse", lambda: warehouse.count(table_name, month))
            if warehouse
            else None
        )

    def _query(self, storage: str, query: Callable[[], Found]) -> Found | None:
        if storage in self.uncounted:
            return None
        try:
            return query()
        except Exception as error:  # noqa: BLE001 - the table still shows the rest
            self.uncounted[storage] = str(error)
            return None


def _rejected(cleaned: LakeObject | None) -> int | None:
    counts = cleaned.attributes.get(attributes.COUNTS) if cleaned else None
    return MonthCounts.from_text(counts).rejected if counts else None


def table(rows: Iterable[Counted], seconds: Mapping[tuple[str, Month], float]) -> Sequence[str]:
    """The lines of the table; ``seconds`` are durations by dataset and month."""
    lines = [_LINE.format(*_HEADER)]
    for row in rows:
        counts = (row.published, row.clean, row.rejected, row.lake, row.warehouse)
        texts = [f"{value:,}" if value is not None else "-" for value in counts]
        took = f"{seconds.get((row.dataset, row.month), 0.0):.1f}"
        lines.append(_LINE.format(row.dataset, str(row.month), *texts, took))
    return lines
