"""The loads of a month into BigQuery, one job after the other, each recorded before and after."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from google.cloud import bigquery, storage
from google.cloud.bigquery import DatasetReference

from taxi_assets.datasets.month import Month
from taxi_assets.errors import AuditFailed, PermanentError
from taxi_assets.services import named_errors
from taxi_assets.warehouse.base import Load, Loaded
from taxi_assets.warehouse.bigquery_errors import BIGQUERY
from taxi_assets.warehouse.bigquery_jobs import Content, details_of, run_job, start_load
from taxi_assets.warehouse.bigquery_months import BigQueryMonths
from taxi_assets.warehouse.bigquery_schema import ensure_table, load_config
from taxi_assets.warehouse.bigquery_source import Located, locate, require_current
from taxi_assets.warehouse.sources import check_file, check_month
from taxi_assets.wording import counted

__all__ = ["BigQueryLoads"]


@dataclass(frozen=True, slots=True)
class BigQueryLoads:
    """Loads into the tables of ``dataset``, in ``location``; ``months`` are its records."""

    client: bigquery.Client
    storage: storage.Client
    dataset: DatasetReference
    location: str
    months: BigQueryMonths

    def prepared(
        self, loads: Sequence[Load], month: Month | None, *, filtered: bool
    ) -> list[Located]:
        """The files of the loads, checked; creates missing tables and records what begins.

        ``filtered`` is that of ``ensure_table``.
        """
        located = [self._prepare(load, month, filtered=filtered) for load in loads]
        if month is not None:
            self.months.ensure_table()
            self.months.begin(loads, month)
        return located

    def made(
        self, loads: Sequence[Load], located: Sequence[Located], month: Month | None
    ) -> list[Loaded]:
        """Make the loads in order; the first that fails leaves the month as it was."""
        loaded: list[Loaded] = []
        for load, source in zip(loads, located, strict=True):
            started = time.monotonic()
            try:
                job = self._run(load, source, month)
            except PermanentError:
                if month is not None and not loaded:  # the job failed, and the tables are unchanged
                    with named_errors(BIGQUERY, f"Recording that {month} was not loaded"):
                        self.months.withdraw(loads, month)
                raise
            self._settle(load, source, month, job)
            rows = int(job.output_rows or 0)
            loaded.append(Loaded(rows, time.monotonic() - started, details_of(job)))
        return loaded

    def _prepare(self, load: Load, month: Month | None, *, filtered: bool) -> Located:
        check_month(load.table, month)
        located = locate(load.source, self.storage)
        check_file(load.table, month, located.footer, located.uri or str(located.path))
        ensure_table(
            self.client,
            self.dataset.table(load.table.name),
            load.table,
            filtered=filtered,
        )
        return located

    def _run(self, load: Load, source: Located, month: Month | None) -> bigquery.LoadJob:
        """The finished load job; raises the error of a failed one."""
        table = load.table
        name = table.name if month is None else f"{table.name}${month.year}{month.month:02d}"
        target = self.dataset.table(name)
        content = Content(
            str(target), table.column_names, source.uri, source.version, source.sha256
        )
        start = partial(start_load, self.client, source, target, load_config(table), self.location)
        doing = f"Loading {self.dataset.dataset_id}.{table.name} {month or ''}".rstrip()
        with named_errors(BIGQUERY, doing):
            return run_job(
                self.client, content.job_name(name.replace("$", "-")), self.location, start
            )

    def _settle(
        self, load: Load, source: Located, month: Month | None, job: bigquery.LoadJob
    ) -> None:
        """Check what the job loaded, and record it."""
        doing = f"Recording {self.dataset.dataset_id}.{load.table.name} {month or ''}".rstrip()
        with named_errors(BIGQUERY, doing):
            # A job names an object, not a version of it.
            require_current(source, self.storage)
        if job.output_rows != source.footer.num_rows:
            raise AuditFailed(
                f"{load.table.name} {month or ''}: BigQuery job {job.job_id} loaded "
                f"{counted(job.output_rows or 0, 'row')} of a file with "
                f"{counted(source.footer.num_rows, 'row')}.",
                "Load the month again.",
            )
        if month is not None:
            with named_errors(BIGQUERY, doing):
                self.months.record(load, job, month)
