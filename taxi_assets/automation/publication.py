"""The sensors that request new, missing and reissued months, one per dataset.

https://docs.dagster.io/guides/automate/sensors explains sensors. A tick reads Dagster's records
(``records``), polls TLC (``polling``) and decides (``planning``); this module passes the decision
to Dagster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

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
from taxi_assets.wording import counted

__all__ = ["SplitMonths", "publication_sensor"]

SplitMonths: TypeAlias = Callable[[DatasetSpec], Mapping[Month, str]]


def publication_sensor(
    spec: DatasetSpec,
    *,
    seconds: int,
    status: dg.DefaultSensorStatus,
    split: SplitMonths | None = None,
) -> dg.SensorDefinition:
    """Polls TLC every ``seconds``.

    ``split`` returns the dataset's months that are to be loaded again because the warehouse has
    different versions of their trips and rejects; ``None`` for a warehouse that cannot.
    """

    @dg.sensor(
        name=f"{spec.name}_published",
        job_name=job_name(spec),
        minimum_interval_seconds=seconds,
        default_status=status,
        description=(
            f"Polls TLC for months of {spec.name} and requests a run for each newly published or "
            "reissued one. Starts at the earliest loaded month or, if none is loaded, at the "
            "newest published one; backfill earlier months."
        ),
    )
    def published(context: dg.SensorEvaluationContext, tlc: TlcSource) -> dg.SensorResult:
        planned = _tick(context, tlc, spec, split)
        if planned.requests:
            return _requested(spec, planned)
        reason = " ".join([*planned.reasons, f"Polls again in {_span(seconds)}."])
        return dg.SensorResult(skip_reason=reason, cursor=planned.cursor.write())

    return published


def _tick(
    context: dg.SensorEvaluationContext,
    tlc: TlcSource,
    spec: DatasetSpec,
    split: SplitMonths | None,
) -> Plan:
    records = read_records(context.instance, spec)
    if split:
        records = replace(records, split=split(spec))
    months = [Month.parse(key) for key in monthly(spec).get_partition_keys()]
    cursor = Cursor.read(context.cursor, spec.name, months)
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
    """A run for each month, an observation of its source file, and the new cursor."""
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
            return counted(seconds // size, unit)
    raise ValueError(f"{seconds} seconds are not a polling interval")
