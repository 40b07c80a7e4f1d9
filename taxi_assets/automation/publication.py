"""The sensor that requests months: new ones, gaps and reissues alike, one sensor per dataset.

https://docs.dagster.io/guides/automate/sensors is the concept. A tick reads ``records``, polls TLC
(``polling``), decides (``planning``), and hands Dagster what was decided; only the last is here.
"""

from __future__ import annotations

import dagster as dg

from taxi_assets.assets.partitions import monthly
from taxi_assets.assets.raw import observation
from taxi_assets.assets.resources import TlcSource
from taxi_assets.automation.cursor import Cursor
from taxi_assets.automation.jobs import job_name
from taxi_assets.automation.planning import Plan, months_to_poll, plan
from taxi_assets.automation.polling import Answers, poll
from taxi_assets.automation.records import read_records
from taxi_assets.datasets.month import Month, several
from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["publication_sensor"]


def publication_sensor(
    spec: DatasetSpec, *, seconds: int, status: dg.DefaultSensorStatus
) -> dg.SensorDefinition:
    """Polls TLC every ``seconds``."""

    @dg.sensor(
        name=f"{spec.name}_published",
        job_name=job_name(spec),
        minimum_interval_seconds=seconds,
        default_status=status,
        description=(
            f"Polls TLC for months of {spec.name} and requests a run of each that it has newly "
            "published or reissued. Begins at the earliest month that is loaded or, when none is, "
            "at the newest published one; backfill what lies before."
        ),
    )
    def published(context: dg.SensorEvaluationContext, tlc: TlcSource) -> dg.SensorResult:
        planned = _tick(context, tlc, spec)
        if planned.requests:
            return _requested(spec, planned)
        reason = " ".join([*planned.reasons, f"Polls again in {_span(seconds)}."])
        return dg.SensorResult(skip_reason=reason, cursor=planned.cursor.write())

    return published


def _tick(context: dg.SensorEvaluationContext, tlc: TlcSource, spec: DatasetSpec) -> Plan:
    records, cursor = read_records(context.instance, spec), Cursor.read(context.cursor)
    months = [Month.parse(key) for key in monthly(spec).get_partition_keys()]
    to_poll = months_to_poll(months, records, cursor)
    answers = Answers()
    if to_poll.months:
        known = max(records.loaded, default=spec.first_month)
        with tlc.client() as client:
            answers = poll(client, spec, to_poll.months, known=known)
    planned = plan(spec, records, cursor, to_poll, answers)
    if planned.requests:
        months = [each.month for each in planned.requests]
        context.log.info(f"Published or reissued by TLC: {spec.name} {several(months)}.")
    return planned


def _requested(spec: DatasetSpec, planned: Plan) -> dg.SensorResult:
    """A run for each month, the source observed as it is now, and the cursor that says so."""
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=each.run_key, job_name=job_name(spec), partition_key=str(each.month)
            )
            for each in planned.requests
        ],
        asset_events=[observation(spec, each.month, each.published) for each in planned.requests],
        cursor=planned.cursor.write(),
    )


def _span(seconds: int) -> str:
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    raise ValueError(f"{seconds} seconds are no time to wait")
