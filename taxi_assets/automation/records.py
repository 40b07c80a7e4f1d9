"""Reads Dagster's records of a dataset's months, with the methods of ``dg.DagsterInstance``.

A tick makes seven queries however many months there are, because the storage may be a remote
database. Keep the number constant when adding one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from taxi_assets.assets.common import trip_key
from taxi_assets.automation.jobs import MONTH_ASSETS, job_name
from taxi_assets.automation.planning import Loaded, Records
from taxi_assets.dagster_names import DATA_VERSION_TAG, PARTITION_TAG, WILL_RETRY_TAG
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.versions import is_current

__all__ = ["UNFINISHED", "read_records", "run_before"]

UNFINISHED: Final = [
    status
    for status in dg.DagsterRunStatus
    if status
    not in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
]
# Dagster launches a retry within seconds; a day allows for a daemon that was down.
_RETRIED_WITHIN: Final = timedelta(days=1)
# Only the newest backfills are read; older ones have ended.
_BACKFILLS: Final = 50


def read_records(instance: dg.DagsterInstance, spec: DatasetSpec) -> Records:
    """The dataset's records; a month counts as loaded once it has reached the warehouse."""
    downloaded = _latest(instance, trip_key(spec, "raw_trips"))
    loaded = _latest(instance, trip_key(spec, "warehouse_trips"))
    return Records(
        loaded={month: _loaded(downloaded.get(month), each) for month, each in loaded.items()},
        in_run=frozenset(_in_run(instance, spec)),
        backfill=_backfill(instance, spec),
    )


def run_before(
    instance: dg.DagsterInstance, spec: DatasetSpec, month: str, run_id: str
) -> dg.DagsterRun | None:
    """The month's latest run created before the run ``run_id``."""
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return None
    earlier = dg.RunsFilter(tags={PARTITION_TAG: month}, created_before=record.create_timestamp)
    return next(
        (
            run
            for run in instance.get_runs(earlier)
            if _is_about(spec, run.job_name, run.asset_selection)
        ),
        None,
    )


def _latest(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[Month, dg.EventLogRecord]:
    """The latest materialization of every month of an asset."""
    materialized = dg.DagsterEventType.ASSET_MATERIALIZATION
    ids = [*instance.get_latest_storage_id_by_partition(key, materialized).values()]
    if not ids:
        return {}  # with no ids Dagster would return every materialization
    wanted = dg.AssetRecordsFilter(key, storage_ids=ids)
    records = instance.fetch_materializations(wanted, limit=len(ids)).records
    return {Month.parse(str(record.partition_key)): record for record in records}


def _loaded(downloaded: dg.EventLogRecord | None, loaded: dg.EventLogRecord) -> Loaded:
    """A loaded month, from its latest download and its latest load.

    Records of an earlier release have a version of another layout (``versions``) or no ETag.
    """
    if downloaded is None or downloaded.storage_id > loaded.storage_id:
        return Loaded(loaded.run_id, etag=None)
    raw, warehouse = downloaded.asset_materialization, loaded.asset_materialization
    assert raw is not None
    assert warehouse is not None
    if "etag" not in raw.metadata or not is_current((warehouse.tags or {}).get(DATA_VERSION_TAG)):
        return Loaded(loaded.run_id, etag=None, outdated=True)
    return Loaded(loaded.run_id, etag=str(raw.metadata["etag"].value))


def _in_run(instance: dg.DagsterInstance, spec: DatasetSpec) -> set[Month]:
    """Months in a run of any of the four assets, including queued runs and those to be retried."""
    since = datetime.now(UTC) - _RETRIED_WITHIN
    retried = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], tags={WILL_RETRY_TAG: "true"}, updated_after=since
    )
    runs = [
        *instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)),
        *(run for run in instance.get_runs(retried) if run.is_complete_and_waiting_to_retry),
    ]
    return {
        Month.parse(run.tags[PARTITION_TAG])
        for run in runs
        if PARTITION_TAG in run.tags and _is_about(spec, run.job_name, run.asset_selection)
    }


def _backfill(instance: dg.DagsterInstance, spec: DatasetSpec) -> str | None:
    """The id of an unfinished backfill of the dataset, if there is one."""
    for backfill in instance.get_backfills(limit=_BACKFILLS):
        ours = _is_about(spec, backfill.job_name, backfill.asset_selection)
        if ours and backfill.status.value == "REQUESTED":
            return backfill.backfill_id
    return None


def _is_about(
    spec: DatasetSpec, job: str | None, selection: Collection[dg.AssetKey] | None
) -> bool:
    """Whether a run or backfill materializes any of the dataset's four assets."""
    ours = {trip_key(spec, name) for name in MONTH_ASSETS}
    return job == job_name(spec) or not ours.isdisjoint(selection or ())
