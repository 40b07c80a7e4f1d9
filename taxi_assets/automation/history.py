"""What Dagster has recorded of a dataset's months.

Belongs here: reading the instance: landed, under way, failed, which version. Does not: what TLC
says (``asking``), what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

from taxi_assets.assets.common import trip_key
from taxi_assets.automation.jobs import MONTH_ASSETS
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec

_VERSION_TAG = "dagster/data_version"


@dataclass(frozen=True, slots=True)
class History:
    """The months that are in the warehouse, in a run, and those whose latest run failed.

    ``under_way`` includes queued runs and runs that Dagster is about to retry. ``failed`` maps to
    the id of that run; such a month may have landed in an earlier one.
    """

    landed: frozenset[Month]
    under_way: frozenset[Month]
    failed: Mapping[Month, str]


def read_history(instance: dg.DagsterInstance, spec: DatasetSpec) -> History:
    """What is known of the dataset; a month counts as landed once the warehouse has had it."""
    landed = instance.get_materialized_partitions(trip_key(spec, MONTH_ASSETS[-1]))
    attempts = _open_attempts(instance, spec)
    ids = sorted({run_id for runs in attempts.values() for run_id in runs})
    records = instance.get_run_records(dg.RunsFilter(run_ids=ids)) if ids else []
    runs = {record.dagster_run.run_id: record.dagster_run for record in records}
    under_way: set[Month] = set()
    failed: dict[Month, str] = {}
    for month, run_ids in attempts.items():
        known = [runs[run_id] for run_id in run_ids if run_id in runs]
        if any(not run.is_finished or run.is_complete_and_waiting_to_retry for run in known):
            under_way.add(month)
        elif broken := [r.run_id for r in known if r.status is dg.DagsterRunStatus.FAILURE]:
            failed[month] = broken[-1]
    return History(frozenset(map(Month.parse, landed)), frozenset(under_way), failed)


def _open_attempts(instance: dg.DagsterInstance, spec: DatasetSpec) -> dict[Month, list[str]]:
    """Runs that set out to make an asset of a month last and have not made it, by month."""
    attempts: dict[Month, list[str]] = {}
    storage = instance.event_log_storage
    for name in MONTH_ASSETS:
        key = trip_key(spec, name)
        found = storage.get_latest_asset_partition_materialization_attempts_without_materializations
        for partition, (run_id, _) in found(key).items():
            attempts.setdefault(Month.parse(partition), []).append(run_id)
    return attempts


def downloaded_version(instance: dg.DagsterInstance, spec: DatasetSpec, month: Month) -> str | None:
    """The data version of the raw file that was downloaded last: TLC's ETag of then."""
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(trip_key(spec, MONTH_ASSETS[0]), asset_partitions=[str(month)]),
        limit=1,
    ).records
    made = records[0].asset_materialization if records else None
    return (made.tags or {}).get(_VERSION_TAG) if made else None


def backfill_under_way(instance: dg.DagsterInstance, spec: DatasetSpec) -> str | None:
    """The id of a backfill of this dataset that has not ended, if there is one.

    Its months are not all in runs yet, so they would look as if nobody had asked for them.
    """
    ours = {trip_key(spec, name) for name in MONTH_ASSETS}
    unfinished = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    for backfill in instance.get_backfills(unfinished):
        if ours & set(backfill.asset_selection or ()):
            return backfill.backfill_id
    return None
