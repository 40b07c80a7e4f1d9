"""The sensors that notify people of failed runs, loaded months and overdue months.

https://docs.dagster.io/guides/automate/sensors/run-status-sensors explains run status sensors.
There is no notification of a run that Dagster is about to retry, of a month that is reloaded, or of
a month that was already overdue the day before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import dagster as dg

from taxi_assets.assets.common import trip_key
from taxi_assets.automation.channels import Channel, NotSent, notify
from taxi_assets.automation.jobs import OVERDUE_JOB, overdue_job
from taxi_assets.automation.messages import Message, failure, loaded, overdue, run_url
from taxi_assets.automation.records import run_before
from taxi_assets.automation.run_status import RunStatusSensor
from taxi_assets.dagster_names import WILL_RETRY_TAG
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.wording import counted

__all__ = ["failure_sensor", "loaded_sensor", "overdue_sensor"]

_RECORDS_PER_TICK = 500


def failure_sensor(
    channels: Sequence[Channel], *, ui_url: str, seconds: int
) -> dg.SensorDefinition:
    """Notifies of every failed run that is not retried, and of the check that stopped it."""

    def failed(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        if run.is_complete_and_waiting_to_retry:
            return
        failed_run = context.for_run_failure()
        message = failure(
            run,
            failed_run.failure_event.message or "No reason was recorded.",
            failed_run.get_step_failure_events(),
            _evaluations(context.instance, run.run_id),
            ui_url,
        )
        notify(channels, message)

    return RunStatusSensor(
        run_status=dg.DagsterRunStatus.FAILURE,
        run_status_sensor_fn=failed,
        name="notify_failures",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Notifies {_names(channels)} of failed runs and failed blocking checks.",
    )


def loaded_sensor(
    specs: Iterable[DatasetSpec], channels: Sequence[Channel], *, ui_url: str, seconds: int
) -> dg.SensorDefinition:
    """Notifies of months loaded for the first time, or after a failure.

    Months of a dataset that are loaded between two ticks, as in a backfill, are one message.
    """
    specs = tuple(specs)

    @dg.sensor(
        name="notify_loaded_months",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Notifies {_names(channels)} of new and of recovered months.",
    )
    def loaded_months(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        before, seen = _read(context.cursor), dict[str, int]()
        count, problems = 0, []
        for spec in specs:
            key = trip_key(spec, "warehouse_trips")
            end = _end(context.instance, key)
            # Beyond the end after Dagster's records were restored or deleted: as a first tick.
            since = before.get(spec.name, end)
            records = _since(context.instance, key, since) if since < end else []
            for recovered, news in _news(context.instance, spec, records).items():
                try:
                    notify(channels, _loaded(spec, news, recovered=recovered, ui_url=ui_url))
                except NotSent as error:
                    # Not sent again: the other channels have received it.
                    context.log.error(str(error))
                    problems.append(str(error))
                count += len(news)
            seen[spec.name] = records[-1].storage_id if records else end
        reason = " ".join(problems) or f"Notified of {counted(count, 'month')}."
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(seen))

    return loaded_months


def overdue_sensor(
    specs: Iterable[DatasetSpec], channels: Sequence[Channel], *, ui_url: str, seconds: int
) -> dg.SensorDefinition:
    """Notifies of overdue months when they differ from those of the previous check run."""

    def overdue_months(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        known = _overdue_before(context.instance, run)
        found = _overdue(context.instance, run)
        if news := [each for key, each in found.items() if known.get(key) != each.description]:
            notify(channels, overdue(news, run_url(ui_url, run.run_id)))

    return RunStatusSensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        run_status_sensor_fn=overdue_months,
        monitored_jobs=[overdue_job(specs)],
        name="notify_overdue_months",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Notifies {_names(channels)} when the overdue months change.",
    )


def _read(cursor: str | None) -> dict[str, int]:
    """The last materialization seen, by dataset; empty for a cursor of another format.

    A dataset without one is seen for the first time: its earlier months are not notified.
    """
    try:
        stored = json.loads(cursor or "")
        return {name: seen for name, seen in stored.items() if type(seen) is int and seen >= 0}
    except (ValueError, AttributeError, RecursionError):
        return {}


def _since(
    instance: dg.DagsterInstance, key: dg.AssetKey, seen: int
) -> Sequence[dg.EventLogRecord]:
    """Materializations after ``seen``."""
    newer = dg.AssetRecordsFilter(key, after_storage_id=seen)
    return instance.fetch_materializations(newer, limit=_RECORDS_PER_TICK, ascending=True).records


def _end(instance: dg.DagsterInstance, key: dg.AssetKey) -> int:
    """The latest materialization; 0 if there is none."""
    latest = instance.fetch_materializations(key, limit=1).records
    return latest[0].storage_id if latest else 0


def _news(
    instance: dg.DagsterInstance, spec: DatasetSpec, records: Sequence[dg.EventLogRecord]
) -> dict[bool, list[dg.EventLogRecord]]:
    """The ``records`` to notify of, by whether the month's previous run failed."""
    news: dict[bool, list[dg.EventLogRecord]] = {}
    for record in records:
        recovered = _failed_before(instance, spec, record)
        if recovered or not _loaded_before(instance, spec, record):
            news.setdefault(recovered, []).append(record)
    return news


def _loaded_before(
    instance: dg.DagsterInstance, spec: DatasetSpec, record: dg.EventLogRecord
) -> bool:
    earlier = dg.AssetRecordsFilter(
        trip_key(spec, "warehouse_trips"),
        asset_partitions=[str(record.partition_key)],
        before_storage_id=record.storage_id,
    )
    return bool(instance.fetch_materializations(earlier, limit=1).records)


def _failed_before(
    instance: dg.DagsterInstance, spec: DatasetSpec, record: dg.EventLogRecord
) -> bool:
    """Whether the month's previous run failed and was not retried."""
    run = run_before(instance, spec, str(record.partition_key), record.run_id)
    return bool(run and run.is_failure and run.tags.get(WILL_RETRY_TAG) != "true")


def _loaded(
    spec: DatasetSpec, news: Sequence[dg.EventLogRecord], *, recovered: bool, ui_url: str
) -> Message:
    """One message for several records; it links to their run or, if several, the asset."""
    months = {Month.parse(str(each.partition_key)): each.asset_materialization for each in news}
    runs = {each.run_id for each in news}
    page = f"{ui_url}/assets/{spec.name}/warehouse_trips"
    url = run_url(ui_url, runs.pop()) if len(runs) == 1 else page
    known = {month: each for month, each in months.items() if each is not None}
    return loaded(spec.name, known, url, recovered=recovered)


def _overdue(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> dict[dg.AssetKey, dg.AssetCheckEvaluation]:
    """The failed checks for overdue months of ``run``."""
    evaluations = _evaluations(instance, run.run_id)
    return {each.asset_key: each for each in evaluations if not each.passed}


def _overdue_before(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> dict[dg.AssetKey, str | None]:
    """The descriptions of the checks that failed in the previous run."""
    record = instance.get_run_record_by_id(run.run_id)
    assert record is not None
    before = instance.get_runs(
        dg.RunsFilter(
            job_name=OVERDUE_JOB,
            statuses=[dg.DagsterRunStatus.SUCCESS],
            created_before=record.create_timestamp,
        ),
        limit=1,
    )
    found = _overdue(instance, before[0]) if before else {}
    return {key: each.description for key, each in found.items()}


def _evaluations(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetCheckEvaluation]:
    records = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    return [
        record.event_log_entry.get_dagster_event().asset_check_evaluation_data for record in records
    ]


def _names(channels: Sequence[Channel]) -> str:
    return ", ".join(channel.name for channel in channels)
