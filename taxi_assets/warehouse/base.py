"""What a warehouse is: tables whose months are replaced whole, read back as Arrow batches.

Belongs here: the interface every engine keeps and what passes through it. Does not: any engine
(``duckdb_file``, ``bigquery``, ``postgres``), Dagster (``io_manager``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from taxi_assets.datasets.month import Month
from taxi_assets.lake.store import LakeObject
from taxi_assets.warehouse.tables import Table


@dataclass(frozen=True, slots=True)
class Source:
    """A Parquet file to load: in the lake, where an engine may read it in place, or local only.

    ``path`` brings the file to local disk and is called only by an engine that needs it there.
    """

    path: Callable[[], Path]
    stored: LakeObject | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """One table's rows of one month (or of a whole table that has no months).

    ``version`` says what the rows are; those of a user's asset may have none.
    """

    table: Table
    source: Source
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: rows now in that month, seconds taken, and the engine's own facts.

    ``details`` holds such things as a job id, bytes read, slot time and a console link.
    """

    rows: int
    seconds: float
    details: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedMonth:
    """What the table of months says of one table's month."""

    version: str | None
    rows: int


class Warehouse(ABC):
    """One database, dataset or schema.

    Transient errors raise ``StoreUnavailable`` (``WarehouseLocked`` for a DuckDB file); missing
    permissions, datasets and wrong locations raise ``Misconfigured`` and say what is needed.
    """

    url: str

    @abstractmethod
    def replace(self, loads: Sequence[Load], month: Month | None) -> list[Loaded]:
        """Make each table hold exactly the source's rows for ``month``, and no other change.

        ``month`` is ``None`` for tables that are not monthly; they are replaced whole. Each table
        is created if missing and gains columns the table lacks; any other difference raises
        ``TableSchemaConflict``. A source row of another ``source_month`` raises
        ``AuditFailed``. Whatever is raised, the tables' rows are as they were. Engines with
        transactions replace all tables in one; the others in the order given. A month's version
        and rows are recorded in the table of months (``months``), in the same transaction where
        there is one; without one, rows whose record is missing count as not loaded.
        """

    @abstractmethod
    def read(
        self, table: str, *, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """Stream rows of those months (``None``: all) with those columns (``None``: all).

        Raises ``ObjectMissing`` when there is no such table; a month without rows reads as none.
        """

    @abstractmethod
    def count(self, table: str, month: Month | None) -> int:
        """Rows of ``month`` (``None``: of the table); a missing table counts 0."""

    @abstractmethod
    def loaded(self, table: str, month: Month) -> LoadedMonth | None:
        """What was recorded of that month, if the rows now there still agree with it.

        ``None`` when the month or the table is gone, when nothing is recorded, or when somebody
        changed the number of rows since (on BigQuery: changed the partition at all).
        """

    @abstractmethod
    def loaded_months(self, table: str) -> Mapping[Month, LoadedMonth]:
        """All that was recorded of that table, in one query, not compared with its rows."""

    @abstractmethod
    def unrecorded_months(self, table: str) -> list[Month]:
        """Months with rows but without a record, in order: loaded before there were records."""
