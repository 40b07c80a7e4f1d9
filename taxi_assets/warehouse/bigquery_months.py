"""``loaded_months`` in BigQuery: a row is inserted after each load job.

A load job and a statement cannot share a transaction, so a record contains the number of rows
loaded and the time the partition was last modified, and another one says that the load began: a
process killed before its record leaves that as the newest. A record is valid while both match
``INFORMATION_SCHEMA.PARTITIONS``: an update, a load or a manual insert changes the time, and a
deleted row or partition the number
(https://cloud.google.com/bigquery/docs/information-schema-partitions).

Rows are only added, and the newest record of a month counts. Concurrent ``INSERT`` statements do
not conflict, do not count toward the 1,500 modifications per table and day, and are not limited to
5 updates in 10 seconds, as appending load jobs are
(https://cloud.google.com/bigquery/quotas#standard_tables). The same statement reads the
partition's time, so that another write is unlikely to come in between. A query here is billed the
minimum, 10 MB per table: about 0.0001 USD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from google.cloud import bigquery
from google.cloud.bigquery.table import Row

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.warehouse import bigquery_schema, months
from taxi_assets.warehouse.base import Load, LoadedMonth
from taxi_assets.warehouse.bigquery_requests import run_query
from taxi_assets.warehouse.tables import TableColumn

__all__ = ["BEGUN", "LOADED_MONTHS", "BigQueryMonths"]

LOADED_MONTHS = replace(
    months.LOADED_MONTHS,
    columns=(
        *months.LOADED_MONTHS.columns,
        TableColumn(
            "partition_written_at",
            Type.TIMESTAMP,
            "When the month's partition was last modified, UTC; NULL without rows.",
        ),
    ),
)


BEGUN = "load begun and not finished"


@dataclass(frozen=True, slots=True)
class BigQueryMonths:
    """The table ``loaded_months`` of one dataset."""

    client: bigquery.Client
    dataset: bigquery.DatasetReference
    location: str

    def ensure_table(self) -> None:
        """Create the table if it does not exist."""
        reference = self.dataset.table(LOADED_MONTHS.name)
        bigquery_schema.ensure_table(self.client, reference, LOADED_MONTHS, filtered=False)

    def begin(self, loads: Sequence[Load], month: Month) -> None:
        """Record that these loads of the month begin; a record without a row count.

        It is newer than the month's last record until that of the finished load.
        """
        values = ", ".join(
            f"(@table_{at}, @month, @version_{at}, CURRENT_DATETIME())" for at in range(len(loads))
        )
        named = [
            bigquery.ScalarQueryParameter(f"{name}_{at}", "STRING", value)
            for at, load in enumerate(loads)
            for name, value in (("table", load.table.name), ("version", load.version))
        ]
        columns = "table_name, source_month, version, loaded_at"
        self._query(f"INSERT INTO {self._table} ({columns}) VALUES {values}", None, month, *named)

    def withdraw(self, loads: Sequence[Load], month: Month) -> None:
        """Record again what the tables contain, after loads that began and changed nothing."""
        columns = "table_name, source_month, version, row_count, origin, partition_written_at"
        for load in loads:
            self._query(
                f"INSERT INTO {self._table} ({columns}, loaded_at) "
                f"SELECT {columns}, CURRENT_DATETIME() FROM {self._table} "
                "WHERE table_name = @table AND source_month = @month AND row_count IS NOT NULL "
                "QUALIFY ROW_NUMBER() OVER (ORDER BY loaded_at DESC) = 1",
                load.table.name,
                month,
            )

    def record(self, load: Load, job: bigquery.LoadJob, month: Month) -> None:
        """Record this load of the month.

        ``loaded_at`` is the job's end in BigQuery's time, which orders two loads of a month.
        """
        columns = ", ".join(LOADED_MONTHS.column_names)
        self._query(
            f"INSERT INTO {self._table} ({columns}) "
            "VALUES (@table, @month, @version, @rows, @loaded_at, @origin, "
            f"(SELECT DATETIME(last_modified_time) {self._partition}))",
            load.table.name,
            month,
            bigquery.ScalarQueryParameter("version", "STRING", load.version),
            bigquery.ScalarQueryParameter("rows", "INT64", job.output_rows),
            bigquery.ScalarQueryParameter(
                "loaded_at", "DATETIME", job.ended.astimezone(UTC).replace(tzinfo=None)
            ),
            bigquery.ScalarQueryParameter("origin", "STRING", load.origin),
        )

    def forget(self, table: str) -> None:
        """Delete all records of that table.

        DML may delete rows that DML inserted at any time, unlike rows that were streamed
        (https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations).
        """
        self._query(f"DELETE FROM {self._table} WHERE table_name = @table", table)

    def loaded(self, table: str, month: Month) -> LoadedMonth | None:
        """The newest record of the month, if the partition is unchanged.

        For 0 rows only the number is compared: BigQuery keeps no empty partitions.
        """
        rows = self._query(
            "SELECT version, row_count FROM (SELECT version, row_count, partition_written_at "
            f"FROM {self._table} WHERE table_name = @table AND source_month = @month "
            "ORDER BY loaded_at DESC LIMIT 1) "
            f"LEFT JOIN (SELECT total_rows, last_modified_time {self._partition}) ON TRUE "
            "WHERE row_count = IFNULL(total_rows, 0) "
            "AND (row_count = 0 OR partition_written_at = DATETIME(last_modified_time))",
            table,
            month,
        )
        return next((LoadedMonth(row["version"], row["row_count"]) for row in rows()), None)

    def all(self, table: str) -> dict[Month, LoadedMonth]:
        """The newest record of each month of that table."""
        rows = self._query(
            f"SELECT source_month, version, row_count FROM {self._table} "
            "WHERE table_name = @table AND row_count IS NOT NULL "
            "QUALIFY ROW_NUMBER() OVER (PARTITION BY source_month ORDER BY loaded_at DESC) = 1",
            table,
        )
        return {
            Month.of(row["source_month"]): LoadedMonth(row["version"], row["row_count"])
            for row in rows()
        }

    def split(self, tables: Sequence[str]) -> dict[Month, str]:
        """See ``Warehouse.split_months``."""
        by_table = [self._latest(table) for table in tables]
        months: set[Month] = set().union(*by_table)
        states = {
            month: [latest.get(month, "not loaded") for latest in by_table] for month in months
        }
        return {
            month: ", ".join(
                f"{table}: {state}" for table, state in zip(tables, found, strict=True)
            )
            for month, found in states.items()
            if len({*found}) > 1 or BEGUN in found
        }

    def _latest(self, table: str) -> dict[Month, str]:
        """The version in the newest record of each month, or that its load has begun."""
        rows = self._query(
            f"SELECT source_month, version, row_count FROM {self._table} WHERE table_name = @table "
            "QUALIFY ROW_NUMBER() OVER (PARTITION BY source_month ORDER BY loaded_at DESC) = 1",
            table,
        )
        return {
            Month.of(row["source_month"]): BEGUN
            if row["row_count"] is None
            else str(row["version"])
            for row in rows()
        }

    def origins(self) -> list[str | None]:
        """The origins in all records."""
        rows = self._query(f"SELECT DISTINCT origin FROM {self._table}")
        return [row["origin"] for row in rows()]

    def with_rows(self, table: str) -> list[Month]:
        """The months whose partitions have rows; none if the table does not exist."""
        rows = self._query(
            f"SELECT PARSE_DATE('%Y%m', partition_id) AS month FROM {self._partitions} "
            "WHERE table_name = @table AND total_rows > 0 "
            "AND REGEXP_CONTAINS(partition_id, '^[0-9]{6}$')",
            table,
        )
        return [Month.of(row["month"]) for row in rows()]

    @property
    def _table(self) -> str:
        return f"`{self.dataset.table(LOADED_MONTHS.name)}`"

    @property
    def _partitions(self) -> str:
        return f"`{self.dataset.project}.{self.dataset.dataset_id}`.INFORMATION_SCHEMA.PARTITIONS"

    @property
    def _partition(self) -> str:
        return (
            f"FROM {self._partitions} WHERE table_name = @table "
            "AND partition_id = FORMAT_DATE('%Y%m', @month)"
        )

    def _query(
        self,
        query: str,
        table: str | None = None,
        month: Month | None = None,
        *parameters: bigquery.ScalarQueryParameter,
    ) -> Callable[[], Iterator[Row]]:
        named = [*parameters]
        if table is not None:
            named.append(bigquery.ScalarQueryParameter("table", "STRING", table))
        if month is not None:
            named.append(bigquery.ScalarQueryParameter("month", "DATE", month.first_day))
        config = bigquery.QueryJobConfig(query_parameters=named)
        return run_query(self.client, query, self.location, config)
