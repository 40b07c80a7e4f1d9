"""The sensors that tell people: of failed runs and checks, of new months and recoveries.

Belongs here: which events are news. Does not: the words (``messages``), the ways (``channels``).

A run that Dagster is about to retry is no news yet, nor is a month that landed again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import dagster as dg

from taxi_assets.assets.common import trip_key
from taxi_assets.automation.channels import Channel, NotSent, tell
from taxi_assets.automation.jobs import MONTH_ASSETS
from taxi_assets.automation.messages import failure, landing, run_url
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec

_RECORDS_A_LOOK = 500


def failure_sensor(
    channels: Sequence[Channel], *, ui_url: str, seconds: int
) -> dg.SensorDefinition:
    """Tells of every run that failed for good, and of the check that stopped it."""

    @dg.run_failure_sensor(
        name="tell_failures",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Tells {_names(channels)} of failed runs and failed blocking checks.",
    )
    def told(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if run.is_complete_and_waiting_to_retry:
            return
        message = failure(
            run,
            context.failure_event.message or "No step said why.",
            context.get_step_failure_events(),
            _evaluations(context.instance, run.run_id),
            ui_url,
        )
        tell(channels, message)

    return told


def landing_sensor(
    specs: Iterable[DatasetSpec], channels: Sequence[Channel], *, ui_url: str, seconds: int
) -> dg.SensorDefinition:
    """Tells of months that are in the warehouse for the first time, or after a failure."""
    by_name = {spec.name: spec for spec in specs}

    @dg.sensor(
        name="tell_landings",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Tells {_names(channels)} of new months and of recoveries.",
    )
    def told(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen: dict[str, int] = json.loads(context.cursor) if context.cursor else {}
        told_of, problems = 0, []
        for name, spec in by_name.items():
            key = trip_key(spec, MONTH_ASSETS[-1])
            records = _since(context.instance, key, seen.get(name))
            for (run_id, recovered), made in _news(context.instance, key, records).items():
                url = run_url(ui_url, run_id)
                try:
                    tell(channels, landing(name, made, url, recovered=recovered))
                except NotSent as error:
                    # Not again: the other channels have had it.
                    context.log.error(str(error))
                    problems.append(str(error))
                told_of += len(made)
            seen[name] = _latest(context.instance, key, records, seen.get(name))
        reason = " ".join(problems) or f"Told of {told_of} months."
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(seen))

    return told


def _since(
    instance: dg.DagsterInstance, key: dg.AssetKey, seen: int | None
) -> Sequence[dg.EventLogRecord]:
    """What landed after ``seen``; nothing in the first look, which must not tell old news."""
    if seen is None:
        return []
    newer = dg.AssetRecordsFilter(key, after_storage_id=seen)
    return instance.fetch_materializations(newer, limit=_RECORDS_A_LOOK, ascending=True).records


def _latest(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    records: Sequence[dg.EventLogRecord],
    seen: int | None,
) -> int:
    if seen is None:
        records = instance.fetch_materializations(key, limit=1).records
    return records[-1].storage_id if records else seen or 0


def _news(
    instance: dg.DagsterInstance, key: dg.AssetKey, records: Sequence[dg.EventLogRecord]
) -> dict[tuple[str, bool], dict[Month, dg.AssetMaterialization]]:
    """The news among ``records``, by run and whether a failure went before."""
    news: dict[tuple[str, bool], dict[Month, dg.AssetMaterialization]] = {}
    for record in records:
        made = record.asset_materialization
        assert made is not None
        assert made.partition is not None
        recovered = _failed_before(instance, key, record, made.partition)
        if recovered or not _landed_before(instance, key, record, made.partition):
            months = news.setdefault((record.run_id, recovered), {})
            months[Month.parse(made.partition)] = made
    return news


def _landed_before(
    instance: dg.DagsterInstance, key: dg.AssetKey, record: dg.EventLogRecord, partition: str
) -> bool:
    earlier = dg.AssetRecordsFilter(
        key, asset_partitions=[partition], before_storage_id=record.storage_id
    )
    return bool(instance.fetch_materializations(earlier, limit=1).records)


def _failed_before(
    instance: dg.DagsterInstance, key: dg.AssetKey, record: dg.EventLogRecord, partition: str
) -> bool:
    """Whether the attempt before this one failed, and not merely to be retried by Dagster."""
    planned = instance.event_log_storage.get_event_records(
        dg.EventRecordsFilter(
            dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
            asset_key=key,
            asset_partitions=[partition],
            before_cursor=record.storage_id,
        ),
        limit=2,
    )
    earlier = [each for each in planned if each.run_id != record.run_id]
    run = instance.get_run_by_id(earlier[0].run_id) if earlier else None
    if run is None or run.status is not dg.DagsterRunStatus.FAILURE:
        return False
    retried = run.tags.get("dagster/will_retry") == "true"
    return not retried and not _made_in(instance, key, partition, run.run_id)


def _made_in(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str, run_id: str) -> bool:
    """Whether the month landed in that run, although the run failed for another month."""
    every = dg.AssetRecordsFilter(key, asset_partitions=[partition])
    records = instance.fetch_materializations(every, limit=_RECORDS_A_LOOK).records
    return any(each.run_id == run_id for each in records)


def _evaluations(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetCheckEvaluation]:
    records = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    return [
        record.event_log_entry.get_dagster_event().asset_check_evaluation_data for record in records
    ]


def _names(channels: Sequence[Channel]) -> str:
    return ", ".join(channel.name for channel in channels)
