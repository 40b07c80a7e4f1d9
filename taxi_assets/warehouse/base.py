"""The interface of a warehouse engine: replace months of tables, read them as Arrow batches.

Implemented by ``duckdb_file``, ``bigquery`` and ``postgres``; the tests in
``test_warehouse_contract`` and ``test_loaded_months`` run against each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from taxi_assets.datasets.month import Month
from taxi_assets.errors import ConcurrentWrite
from taxi_assets.lake.store import LakeObject
from taxi_assets.warehouse.tables import Table

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = ["Database", "GeographyText", "Load", "Loaded", "LoadedMonth", "Source", "Warehouse"]

GeographyText: TypeAlias = "Callable[[BaseGeometry], str]"


@dataclass(frozen=True, slots=True)
class Source:
    """A Parquet file to load: ``stored`` in the lake, or only local.

    ``path`` downloads the file; an engine that loads from the lake itself does not call it.
    """

    path: Callable[[], Path]
    stored: LakeObject | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """A table and its new rows, of one month or of the whole table if it is not monthly.

    ``version`` identifies the rows and ``origin`` says whose file they are from
    (``datasets.origin``); those of a user's asset may have none.
    """

    table: Table
    source: Source
    version: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of a load: rows now in that month, seconds taken, and the engine's ``details``,
    such as a job id, bytes read, slot time and a console link.
    """

    rows: int
    seconds: float
    details: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedMonth:
    """The record of a table's month in ``loaded_months``."""

    version: str | None
    rows: int


class Warehouse(ABC):
    """One database, dataset or schema.

    Transient errors raise ``StoreUnavailable`` (``WarehouseLocked`` for a DuckDB file); missing
    permissions, datasets and wrong locations raise ``Misconfigured`` with what is required.
    """

    url: str

    @staticmethod
    def geography_text(outline: BaseGeometry) -> str:
        """An outline in WGS 84 as the text that the engine loads into its type for GEOGRAPHY."""
        return str(outline.wkt)

    @abstractmethod
    def replace(self, loads: Sequence[Load], month: Month | None) -> list[Loaded]:
        """Replace the rows of ``month`` in each table by the rows of its source.

        ``month`` is ``None`` for tables that are not monthly; they are replaced completely. A
        missing table is created and missing columns are added; any other difference raises
        ``TableSchemaConflict``. A source row of another ``source_month`` raises ``AuditFailed``.
        After an error the tables' rows are unchanged. Engines with transactions replace all tables
        in one, the others in the given order. A month's version and row count are recorded in
        ``loaded_months`` (module ``months``), in the same transaction if there is one; otherwise
        rows without a record count as not loaded.
        """

    @abstractmethod
    def read(
        self, table: str, *, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """Stream the rows of ``months`` (``None``: all) with ``columns`` (``None``: all).

        Raises ``ObjectMissing`` if there is no such table. A month may have no rows.
        """

    @abstractmethod
    def count(self, table: str, month: Month | None) -> int:
        """The number of rows of ``month`` (``None``: of the table); 0 if there is no such table."""

    @abstractmethod
    def loaded(self, table: str, month: Month) -> LoadedMonth | None:
        """The month's record, if it still matches the rows in the table.

        ``None`` if the month or the table was dropped, if there is no record, or if the number of
        rows has changed since (on BigQuery: if the partition was modified at all).
        """

    @abstractmethod
    def loaded_months(self, table: str) -> Mapping[Month, LoadedMonth]:
        """All records of that table, in one query, without checking them against its rows."""

    def require_whole(self, tables: Sequence[str], months: Collection[Month]) -> None:
        """Raise ``ConcurrentWrite`` if the tables have different versions of any of ``months``."""
        split = self.split_months(tables)
        for month in months:
            if month in split:
                raise ConcurrentWrite(
                    f"{' and '.join(tables)} have {month} in different versions ({split[month]}): "
                    "a run is loading it, or was killed while it did.",
                    "If it is in no run, run the month again.",
                )

    @abstractmethod
    def origins(self) -> Collection[str | None]:
        """The origins in all records of ``loaded_months``."""

    def split_months(self, tables: Sequence[str]) -> Mapping[Month, str]:  # noqa: ARG002 - see below
        """Months of which the ``tables`` have different versions, each with these as text.

        Only an engine that replaces tables one after the other has such months: while they are
        loaded, and after a run was killed in between.
        """
        return {}

    @abstractmethod
    def unrecorded_months(self, table: str) -> list[Month]:
        """Months with rows but no record, in order: loaded before records were introduced."""

    @abstractmethod
    def tables(self, prefix: str) -> list[str]:
        """The names of all tables that start with ``prefix``, in order; no partitions."""

    @abstractmethod
    def drop(self, table: str) -> None:
        """Drop the table, if it exists, and its records in ``loaded_months``."""


class Database(Warehouse):
    """A warehouse that users' own code may connect to as well."""

    @abstractmethod
    def connection(self) -> AbstractContextManager[Any]:
        """A connection of the engine's client library; raises its errors, not this package's."""
