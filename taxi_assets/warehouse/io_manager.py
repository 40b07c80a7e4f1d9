"""The warehouse in an asset's hands: what its annotation asks for, and what it returns.

Belongs here: the Dagster edge of the warehouse. Does not: engines (``base`` and its
implementations), forms of rows (``forms``).

An input annotated ``pandas.DataFrame``, ``pyarrow.Table``, ``pyarrow.RecordBatchReader`` or
``pathlib.Path`` (a Parquet file) gets its partitions' rows; ``dict[str, one of these]`` gets one
per partition; ``AssetIn(metadata={"columns": [...]})`` chooses columns. Returning any of these,
or a ``LakeObject``, from an asset replaces that month of its table; in a run over several
partitions, return a ``dict`` with one per partition.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import override

from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.stored import Part
from taxi_assets.errors import Misconfigured
from taxi_assets.forms import (
    Rows,
    by_partition,
    form_per_partition,
    from_reader,
    is_rows,
    read_parquet,
    unknown_form,
    write_parquet,
)
from taxi_assets.lake.io_manager import Stored
from taxi_assets.lake.opening import open_store
from taxi_assets.lake.scratch import RunFolder
from taxi_assets.lake.store import LakeObject
from taxi_assets.warehouse.base import Load, Loaded, Source, Warehouse
from taxi_assets.warehouse.opening import open_warehouse
from taxi_assets.warehouse.tables import SOURCE_MONTH, table_from_schema

_FORMS = ("pandas.DataFrame", "pyarrow.Table", "pyarrow.RecordBatchReader", "pathlib.Path")


class WarehouseIOManager(dg.IOManager):
    """Keeps assets as tables of ``warehouse``; objects it is handed lie in ``lake_url``."""

    def __init__(self, warehouse: Warehouse, *, lake_url: str, scratch: str | None = None) -> None:
        self.warehouse = warehouse
        self.lake_url = lake_url
        self._run_folder = RunFolder(Path(scratch) if scratch else None)
        self.folder = self._run_folder.path

    def close(self) -> None:
        """Remove what waits on local disk."""
        self._run_folder.remove()

    @override
    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        if isinstance(obj, Stored):
            return
        partitions = context.asset_partition_keys if context.has_asset_partitions else None
        path = context.asset_key.path
        loaded = [
            self._replace(table_name(path), value, partition)
            for partition, value in by_partition("/".join(path), obj, partitions)
        ]
        context.add_output_metadata({"dagster/table_name": table_name(path)})
        if len(loaded) == 1:  # what is said here, Dagster says of every partition of the run
            context.add_output_metadata(
                {"dagster/partition_row_count": loaded[0].rows, **loaded[0].details}
            )

    def _replace(self, name: str, value: Any, partition: str | None) -> Loaded:
        month = None if partition is None else _month(partition)
        source = self._source(value, month)
        table = table_from_schema(name, pq.read_schema(source.path()), monthly=month is not None)
        (loaded,) = self.warehouse.replace([Load(table, source)], month)
        return loaded

    @override
    def load_input(self, context: dg.InputContext) -> Any:
        form = context.dagster_type.typing_type
        columns = context.definition_metadata.get("columns")
        table = table_name(context.asset_key.path)
        partitions = context.asset_partition_keys if context.has_asset_partitions else None
        asset = "/".join(context.asset_key.path)
        each_form = form_per_partition(asset, form, partitions)
        wanted = each_form or form
        if not is_rows(wanted) and wanted is not Path:
            raise unknown_form(asset, wanted, _FORMS)
        if each_form is None:
            return self._as(form, table, partitions, columns)
        return {each: self._as(each_form, table, [each], columns) for each in partitions or ()}

    def _as(
        self,
        form: Any,
        table: str,
        partitions: Sequence[str] | None,
        columns: Sequence[str] | None,
    ) -> Any:
        months = None if partitions is None else [_month(each) for each in partitions]
        with self.warehouse.read(table, months=months, columns=columns) as reader:
            if form not in (pa.RecordBatchReader, Path):
                return from_reader(reader, form)
            # The engine's connection must not stay open while the asset writes to it.
            path = self._parquet(reader)
        return path if form is Path else read_parquet([path], None)

    def _source(self, value: Any, month: Month | None) -> Source:
        """The value as a Parquet file that has a ``source_month`` if its asset has months."""
        if isinstance(value, LakeObject):
            store = open_store(self.lake_url)
            source = Source(lambda: store.fetch(value, self.folder / value.sha256), value)
        else:
            path = value if isinstance(value, Path) else self._parquet(value)
            source = Source(lambda: path)
        if month is None or SOURCE_MONTH in pq.read_schema(source.path()).names:
            return source
        dated = self._parquet(_with_month(read_parquet([source.path()], None), month))
        return Source(lambda: dated)

    def _parquet(self, rows: Rows) -> Path:
        path = self.folder / f"{uuid.uuid4().hex}.parquet"
        write_parquet(rows, path)
        return path


class WarehouseResource(dg.ConfigurableIOManagerFactory[WarehouseIOManager]):
    """The warehouse at ``url``: ``duckdb:///path`` or ``postgresql://…``.

    BigQuery has its own, ``bigquery_io_manager``, which is a ``dagster_gcp.BigQueryIOManager``.
    """

    url: str
    lake_url: str
    scratch: str | None = None
    memory_limit: str = "512MB"

    @override
    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[WarehouseIOManager]:
        with closing(self.create_io_manager(context)) as manager:
            yield manager

    @override
    def create_io_manager(self, context: dg.InitResourceContext) -> WarehouseIOManager:
        warehouse = open_warehouse(self.url, memory_limit=self.memory_limit)
        return WarehouseIOManager(warehouse, lake_url=self.lake_url, scratch=self.scratch)


def table_name(path: Sequence[str]) -> str:
    """The table of the asset ``path``: ``green/warehouse_trips`` is ``green_trips``."""
    if len(path) == 2 and path[0] in DATASETS and path[1] == "warehouse_trips":
        return f"{path[0]}_{Part.TRIPS}"
    return "_".join(path)


def _month(partition: str) -> Month:
    try:
        return Month.parse(partition)
    except ValueError as error:
        raise Misconfigured(
            f"{error}.", "The warehouse keeps monthly partitions (keys YYYY-MM) or none."
        ) from error


def _with_month(reader: pa.RecordBatchReader, month: Month) -> pa.RecordBatchReader:
    schema = reader.schema.append(pa.field(SOURCE_MONTH, pa.date32()))

    def dated() -> Any:
        for batch in reader:
            column = pa.array([month.first_day] * batch.num_rows, pa.date32())
            yield pa.RecordBatch.from_arrays([*batch.columns, column], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, dated())
