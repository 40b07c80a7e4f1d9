"""The warehouse on BigQuery: a month is loaded by one load job into its partition.

Loads are in ``bigquery_load``, tables are created in ``bigquery_schema``, jobs run in
``bigquery_jobs``, rows are read in ``bigquery_read``; the IO manager is in ``bigquery_io_manager``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property

import pyarrow as pa
from dagster_gcp import BigQueryResource, GCSResource
from google.api_core.exceptions import NotFound
from google.cloud import bigquery, storage
from google.cloud.bigquery import DatasetReference
from typing_extensions import override

from taxi_assets.datasets.month import Month
from taxi_assets.errors import (
    ConcurrentWrite,
    Misconfigured,
    ObjectMissing,
)
from taxi_assets.gcp import credentials
from taxi_assets.gcp_clients import GoogleBigQuery, GoogleStorage
from taxi_assets.lake.store import RUN_AGAIN
from taxi_assets.services import named_errors
from taxi_assets.warehouse.base import Load, Loaded, LoadedMonth, Warehouse
from taxi_assets.warehouse.bigquery_errors import BIGQUERY
from taxi_assets.warehouse.bigquery_load import BigQueryLoads
from taxi_assets.warehouse.bigquery_months import BEGUN, LOADED_MONTHS, BigQueryMonths
from taxi_assets.warehouse.bigquery_read import batches, month_filter, read_client
from taxi_assets.warehouse.bigquery_requests import REQUEST, run_query
from taxi_assets.warehouse.bigquery_schema import types_of
from taxi_assets.warehouse.tables import read_schema

__all__ = ["BigQueryWarehouse"]


class BigQueryWarehouse(Warehouse):
    """An existing BigQuery dataset; missing tables are created.

    ``location`` is only compared with the dataset's. With ``require_partition_filter``, new monthly
    tables reject queries without a filter on the month, which would scan the whole history.
    Requests are made with the clients of ``bigquery`` and ``gcs``.
    """

    def __init__(
        self,
        project: str,
        dataset: str,
        *,
        location: str | None = None,
        require_partition_filter: bool = False,
        bigquery: BigQueryResource | None = None,
        gcs: GCSResource | None = None,
    ) -> None:
        self.url = f"bigquery://{project}/{dataset}"
        self._dataset = DatasetReference(project, dataset)
        self._wanted_location = location
        self._require_partition_filter = require_partition_filter
        self._bigquery = bigquery or GoogleBigQuery(project=project)
        self._gcs = gcs or GoogleStorage()
        self._clients = ExitStack()

    @cached_property
    def _client(self) -> bigquery.Client:
        return self._clients.enter_context(self._bigquery.get_client())

    @cached_property
    def _months(self) -> BigQueryMonths:
        return BigQueryMonths(self._client, self._dataset, self._location)

    @cached_property
    def _storage(self) -> storage.Client:
        return self._gcs.get_client()

    @cached_property
    def _location(self) -> str:
        location = str(self._client.get_dataset(self._dataset, **REQUEST).location)
        wanted = self._wanted_location
        if wanted and wanted.upper() != location.upper():
            raise Misconfigured(
                f"Dataset {self._dataset.dataset_id} is in {location}, not in {wanted} as "
                "configured, and a dataset cannot be moved.",
                f"Configure {location}, or create a dataset in {wanted}, where the lake's bucket "
                "must be too.",
            )
        return location

    @override
    def replace(self, loads: Sequence[Load], month: Month | None) -> list[Loaded]:
        """See :class:`Warehouse`; the tables are replaced one after the other, in order.

        All are checked and created before the first is replaced. Each is recorded before and
        after its load, so that a month whose process died in between is known as split. Raises
        ``ConcurrentWrite`` if another run loaded the month at the same time.
        """
        with named_errors(BIGQUERY, f"Preparing {self.url} for {month or 'a whole table'}"):
            jobs = BigQueryLoads(
                self._client, self._storage, self._dataset, self._location, self._months
            )
            located = jobs.prepared(loads, month, filtered=self._require_partition_filter)
        loaded = jobs.made(loads, located, month)
        tables = [load.table.name for load in loads]
        split = self.split_months(tables).get(month) if month is not None else None
        # A run whose load has begun will find the month split itself, if it is.
        if split and BEGUN not in split:
            raise ConcurrentWrite(
                f"Another run loaded {month} at the same time ({split}).", RUN_AGAIN
            )
        return loaded

    @override
    @contextmanager
    def read(
        self, table: str, *, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> Iterator[pa.RecordBatchReader]:
        """See :class:`Warehouse`; batches are fetched on demand."""
        with named_errors(BIGQUERY, f"Reading {self._dataset.dataset_id}.{table}"):
            found = self._find(table)
            if found is None:
                raise ObjectMissing(
                    f"There is no table {table} in {self.url}.",
                    "Materialize its asset first.",
                )
            client = read_client(credentials())
        schema = read_schema(table, types_of(found.schema), columns)
        condition = month_filter(months) if found.time_partitioning else ""
        wanted = months is None or len(months) > 0
        try:
            rows = batches(client, found, schema, condition) if wanted else iter(())
            yield pa.RecordBatchReader.from_batches(schema, rows)
        finally:
            client.transport.close()  # type: ignore[no-untyped-call]  # by Google

    @override
    def count(self, table: str, month: Month | None) -> int:
        """See :class:`Warehouse`; rows that were streamed a moment ago may be missing.

        The rows of a table are in its metadata, which is free. A month is counted by a query, which
        is billed its column ``source_month``: 8 bytes a row, at least 10 MB
        (https://cloud.google.com/bigquery/pricing).
        """
        with named_errors(BIGQUERY, f"Counting {self._dataset.dataset_id}.{table}"):
            found = self._find(table)
            if found is None:
                return 0
            if month is None:
                return int(found.num_rows)
            query = f"SELECT COUNT(*) FROM `{found.reference}` WHERE {month_filter([month])}"
            rows = run_query(self._client, query, self._location, bigquery.QueryJobConfig())
            return int(next(rows())[0])

    @override
    def loaded(self, table: str, month: Month) -> LoadedMonth | None:
        """See :class:`Warehouse`."""
        with named_errors(
            BIGQUERY, f"Reading the record of {self._dataset.dataset_id}.{table} {month}"
        ):
            if self._find(LOADED_MONTHS.name) is None or self._find(table) is None:
                return None
            return self._months.loaded(table, month)

    @override
    def loaded_months(self, table: str) -> Mapping[Month, LoadedMonth]:
        """See :class:`Warehouse`."""
        with named_errors(BIGQUERY, f"Reading the records of {self._dataset.dataset_id}.{table}"):
            return {} if self._find(LOADED_MONTHS.name) is None else self._months.all(table)

    @override
    def split_months(self, tables: Sequence[str]) -> Mapping[Month, str]:
        """See :class:`Warehouse`."""
        with named_errors(BIGQUERY, f"Reading the records of {', '.join(tables)}"):
            return {} if self._find(LOADED_MONTHS.name) is None else self._months.split(tables)

    @override
    def origins(self) -> Collection[str | None]:
        """See :class:`Warehouse`."""
        with named_errors(BIGQUERY, f"Reading the records of {self._dataset.dataset_id}"):
            found = self._find(LOADED_MONTHS.name)
            if found is None or all(field.name != "origin" for field in found.schema):
                return []
            return self._months.origins()

    @override
    def unrecorded_months(self, table: str) -> list[Month]:
        """See :class:`Warehouse`."""
        recorded = self.loaded_months(table)
        with named_errors(
            BIGQUERY, f"Reading the partitions of {self._dataset.dataset_id}.{table}"
        ):
            return sorted(set(self._months.with_rows(table)) - recorded.keys())

    @override
    def tables(self, prefix: str) -> list[str]:
        """See :class:`Warehouse`."""
        with named_errors(BIGQUERY, f"Listing the tables of {self._dataset.dataset_id}"):
            listed = self._client.list_tables(self._dataset, **REQUEST)
            return sorted(each.table_id for each in listed if each.table_id.startswith(prefix))

    @override
    def drop(self, table: str) -> None:
        """See :class:`Warehouse`."""
        with named_errors(BIGQUERY, f"Dropping {self._dataset.dataset_id}.{table}"):
            self._client.delete_table(self._dataset.table(table), not_found_ok=True, **REQUEST)
            if self._find(LOADED_MONTHS.name) is not None:
                self._months.forget(table)

    def _find(self, table: str) -> bigquery.Table | None:
        try:
            return self._client.get_table(self._dataset.table(table), **REQUEST)
        except NotFound:
            _ = self._location  # raises if the dataset is missing, not only the table
            return None
