"""The warehouse's IO manager: reads and writes assets as tables, a month at a time.

https://docs.dagster.io/guides/build/io-managers. Type annotations are handled in
``taxi_assets.io_manager``. This module loads a ``StoredMonth`` into two tables, skips a month that
is already loaded in its version, and adds the handles ``WarehouseMonth`` and ``WarehouseTable``,
which do not read rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
from typing_extensions import override

from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.origin import require_unmixed
from taxi_assets.datasets.stored import Part
from taxi_assets.errors import Misconfigured, ObjectMissing
from taxi_assets.failures import instance_of, translated_errors
from taxi_assets.frames import Rows, from_reader, read_parquet, to_reader, write_parquet
from taxi_assets.io_manager import AssetIOManager, Wanted
from taxi_assets.lake.handles import StoredFile, StoredMonth
from taxi_assets.lake.scratch import RunFolder
from taxi_assets.warehouse.base import Load, Loaded, Source, Warehouse
from taxi_assets.warehouse.casts import cast, is_cast, table_for
from taxi_assets.warehouse.database import DatabaseResource
from taxi_assets.warehouse.names import TABLE_NAME, require_own_table, user_table
from taxi_assets.warehouse.tables import SOURCE_MONTH, table_of

__all__ = [
    "WarehouseIOManager",
    "WarehouseMonth",
    "WarehouseResource",
    "WarehouseTable",
    "is_loaded",
]

_IN_PLACE = "loaded in this version already, nothing moved"


@dataclass(frozen=True, slots=True)
class WarehouseMonth:
    """A handle for a dataset's month in the warehouse."""

    warehouse: Warehouse
    month: Month
    tables: Mapping[Part, str]

    def counts(self) -> dict[Part, int]:
        """The current number of rows, by part; raises ``ConcurrentWrite`` for a split month."""
        self.warehouse.require_whole(list(self.tables.values()), [self.month])
        return {part: self.warehouse.count(name, self.month) for part, name in self.tables.items()}


@dataclass(frozen=True, slots=True)
class WarehouseTable:
    """A handle for a table."""

    warehouse: Warehouse
    name: str

    def months(self) -> list[Month]:
        """The loaded months, from the warehouse's records."""
        return sorted(self.warehouse.loaded_months(self.name))


class WarehouseIOManager(AssetIOManager):
    """Stores assets as tables of ``warehouse``; temporary files are kept below ``scratch``."""

    handles = (WarehouseMonth, WarehouseTable)

    def __init__(self, warehouse: Warehouse, *, scratch: str | None = None) -> None:
        self.warehouse = warehouse
        self._run_folder = RunFolder(Path(scratch) if scratch else None)
        self.folder = self._run_folder.path

    def close(self) -> None:
        """Remove temporary files."""
        self._run_folder.remove()

    @override
    def rows(self, wanted: Wanted, form: Any) -> Rows:
        if form is pa.RecordBatchReader:
            # The engine's connection must be closed before the asset writes.
            return read_parquet([self.local_file(wanted)], None)
        with self._read(wanted) as reader:
            return from_reader(reader, form)

    @override
    def local_file(self, wanted: Wanted) -> Path:
        with self._read(wanted) as reader:
            return self._parquet(reader)

    @override
    def handle(self, wanted: Wanted, form: type) -> WarehouseMonth | WarehouseTable:
        if form is WarehouseTable:
            return WarehouseTable(self.warehouse, table_name(wanted.path))
        tables = dict(zip(Part, _tables(wanted.path[0]), strict=True))
        return WarehouseMonth(self.warehouse, _month(wanted.one(form) or ""), tables)

    @override
    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        with translated_errors(context):
            if (instance := instance_of(context)) and not _is_trips(context.asset_key.path):
                require_own_table(instance, context.asset_key, table_name(context.asset_key.path))
        super().handle_output(context, obj)

    @override
    def store(self, path: Sequence[str], partition: str | None, value: Any) -> Mapping[str, Any]:
        table, month = table_name(path), None if partition is None else _month(partition)
        metadata: dict[str, Any] = {
            TABLE_NAME: table,
            "dagster/uri": dg.MetadataValue.text(self.warehouse.url),
        }
        if isinstance(value, StoredMonth):
            if _is_trips(path):
                return {**metadata, **self._store_month(value)}
            value = value.trips  # an asset of a user's is one table
        loaded = self._replace(table, value, month)
        return {**metadata, "dagster/partition_row_count": loaded.rows, **loaded.details}

    def _store_month(self, value: StoredMonth) -> Mapping[str, Any]:
        origin = value.trips.origin
        loads = {
            part: Load(table_of(value.spec, part), _source(file), value.version, origin)
            for part, file in value.parts.items()
        }
        metadata = {
            "dagster/partition_row_count": value.trips.rows,
            "rejected_rows": value.rejects.rows,
            "bytes": value.trips.object.size,
        }
        if not value.redo and is_loaded(self.warehouse, value):
            return {**metadata, "warehouse": _IN_PLACE}
        what, where = f"{value.spec.name} {value.month}", f"the warehouse {self.warehouse.url}"
        require_unmixed(origin, self.warehouse.origins(), what, where)
        loaded = self.warehouse.replace(list(loads.values()), value.month)
        return {**metadata, **loaded[-1].details}

    def _replace(self, name: str, value: Any, month: Month | None) -> Loaded:
        stored = _source(value) if isinstance(value, StoredFile | Path) else None
        rows = read_parquet([stored.path()], None) if stored else to_reader(value)
        if month is not None and SOURCE_MONTH not in rows.schema.names:
            stored, rows = None, _with_month(rows, month)
        table = table_for(
            name, rows.schema, partial(self._columns, name), monthly=month is not None
        )
        if stored is None or not is_cast(stored.path(), table):
            stored = _source(self._parquet(cast(rows, table, self.warehouse.geography_text)))
        (loaded,) = self.warehouse.replace([Load(table, stored)], month)
        return loaded

    def _columns(self, table: str) -> pa.Schema:
        """The columns of a table; none if it does not exist."""
        try:
            with self.warehouse.read(table, months=[], columns=None) as reader:
                return reader.schema
        except ObjectMissing:
            return pa.schema([])

    @contextmanager
    def _read(self, wanted: Wanted) -> Iterator[pa.RecordBatchReader]:
        months = None if wanted.partitions is None else [_month(each) for each in wanted.partitions]
        table = table_name(wanted.path)
        if _is_trips(wanted.path):
            self.warehouse.require_whole(_tables(wanted.path[0]), months or ())
        with self.warehouse.read(table, months=months, columns=wanted.columns) as reader:
            yield reader

    def _parquet(self, rows: Rows) -> Path:
        path = self.folder / f"{uuid.uuid4().hex}.parquet"
        write_parquet(rows, path)
        return path


class WarehouseResource(dg.ConfigurableIOManagerFactory[WarehouseIOManager]):
    """The warehouse in ``database``; temporary files are kept below ``scratch``.

    For BigQuery see ``bigquery_io_manager``, a ``dagster_gcp.BigQueryIOManager``.
    """

    database: DatabaseResource
    scratch: str | None = None

    @override
    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[WarehouseIOManager]:
        with closing(self.create_io_manager(context)) as manager:
            yield manager

    @override
    def create_io_manager(self, context: dg.InitResourceContext) -> WarehouseIOManager:
        return WarehouseIOManager(self.database.opened(), scratch=self.scratch)


def is_loaded(warehouse: Warehouse, month: StoredMonth) -> bool:
    """Whether the month's tables have it in this version, with as many rows as its files."""
    for part, file in month.parts.items():
        loaded = warehouse.loaded(table_of(month.spec, part).name, month.month)
        if loaded is None or (loaded.version, loaded.rows) != (month.version, file.rows):
            return False
    return True


def _tables(dataset: str) -> list[str]:
    return [f"{dataset}_{part}" for part in Part]


def table_name(path: Sequence[str]) -> str:
    """The table of the asset ``path``: ``green/warehouse_trips`` is ``green_trips``."""
    return f"{path[0]}_{Part.TRIPS}" if _is_trips(path) else user_table(path)


def _is_trips(path: Sequence[str]) -> bool:
    return len(path) == 2 and path[0] in DATASETS and path[1] == "warehouse_trips"


def _source(file: StoredFile | Path) -> Source:
    return Source(lambda: file) if isinstance(file, Path) else Source(file.path, file.object)


def _month(partition: str) -> Month:
    try:
        month = Month.parse(partition)
        if str(month) != partition:  # " 2024-01" would replace 2024-01
            raise ValueError(f"{partition!r} is not written as {month}")
        return month
    except ValueError as error:
        raise Misconfigured(
            f"{error}.", "The warehouse stores monthly partitions (keys YYYY-MM) or none."
        ) from error


def _with_month(reader: pa.RecordBatchReader, month: Month) -> pa.RecordBatchReader:
    schema = reader.schema.append(pa.field(SOURCE_MONTH, pa.date32()))

    def dated() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            column = pa.array([month.first_day] * batch.num_rows, pa.date32())
            yield pa.RecordBatch.from_arrays([*batch.columns, column], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, dated())
