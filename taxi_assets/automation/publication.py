"""The sensor for new months: what TLC has published and the warehouse has not.

Belongs here: which months are wanted, when a run is requested. Does not: asking (``asking``),
months that changed (``reissues``).

The earliest month that has landed says how far back somebody wants the dataset: every month since
then is fetched once published, gaps included. Nobody's laptop fetches two hundred months because a
sensor was switched on: with nothing landed, only the newest published month is fetched, and what
lies before the earliest is left to a backfill.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import dagster as dg

from taxi_assets.assets.partitions import monthly
from taxi_assets.assets.resources import TlcSource
from taxi_assets.automation.asking import ask
from taxi_assets.automation.cursor import Cursor, next_slice
from taxi_assets.automation.history import History, backfill_under_way, read_history
from taxi_assets.automation.jobs import job_name
from taxi_assets.automation.messages import several
from taxi_assets.automation.requests import requested, skipped, unlanded, version
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec

# Asked in every look; of those before, a slice.
_NEWEST = 12
_SLICE = 48
_RUNS_A_LOOK = 24


def publication_sensor(
    spec: DatasetSpec, *, seconds: int, status: dg.DefaultSensorStatus
) -> dg.SensorDefinition:
    """Looks for new months every ``seconds``."""

    @dg.sensor(
        name=f"{spec.name}_published",
        job_name=job_name(spec),
        minimum_interval_seconds=seconds,
        default_status=status,
        description=(
            f"Asks TLC for months of {spec.name} that have not landed and runs those it has "
            "published. Begins at the earliest month that has landed, or, when none has, at the "
            "newest published one; backfill what lies before."
        ),
    )
    def look(context: dg.SensorEvaluationContext, tlc: TlcSource) -> dg.SensorResult:
        return _look(context, tlc, spec, seconds)

    return look


def _look(
    context: dg.SensorEvaluationContext, tlc: TlcSource, spec: DatasetSpec, seconds: int
) -> dg.SensorResult:
    history = read_history(context.instance, spec)
    cursor = _without_landed(Cursor.read(context.cursor), history)
    if backfill := backfill_under_way(context.instance, spec):
        return skipped([f"Backfill {backfill} of {spec.name} is under way."], cursor, seconds)
    months = [Month.parse(key) for key in monthly(spec).get_partition_keys()]
    wanted = _wanted(months, history, cursor)
    older, position = next_slice(wanted[_NEWEST:], cursor.position, _SLICE)
    with tlc.client() as client:
        known = max(history.landed, default=spec.first_month)
        answers = ask(client, spec, [*wanted[:_NEWEST], *older], known=known)
    if answers.refusal:
        return skipped([answers.refusal], cursor, seconds)
    new = {
        month: answers.published[month]
        for month in sorted(answers.published, reverse=True)
        if cursor.asked.get(month) != version(answers.published[month])
    }
    begun = _begun(history, cursor)
    bounded = dict(islice(new.items(), _RUNS_A_LOOK if begun else 1))
    # What was found and is not requested now, the next look must find again.
    cursor = replace(cursor, position=position if len(bounded) == len(new) else cursor.position)
    if bounded:
        context.log.info(f"New at TLC: {spec.name} {several(bounded)}.")
        return requested(spec, bounded, cursor)
    reasons = answers.sentences(spec, absent="has not published")
    reasons += unlanded(spec, cursor, history)
    reasons = reasons or [f"{spec.name} is complete up to {months[-1]}, or in a run."]
    return skipped([*reasons, *_before(spec, begun)], cursor, seconds)


def _begun(history: History, cursor: Cursor) -> Month | None:
    """The earliest month that somebody has wanted so far."""
    return min(history.landed | history.under_way | cursor.asked.keys(), default=None)


def _wanted(months: Iterable[Month], history: History, cursor: Cursor) -> list[Month]:
    """The months to ask TLC for, newest first."""
    begun = _begun(history, cursor)
    done = history.landed | history.under_way
    since = (month for month in months if begun is None or month >= begun)
    return sorted((month for month in since if month not in done), reverse=True)


def _without_landed(cursor: Cursor, history: History) -> Cursor:
    asked = {month: v for month, v in cursor.asked.items() if month not in history.landed}
    return replace(cursor, asked=asked)


def _before(spec: DatasetSpec, begun: Month | None) -> list[str]:
    """What this sensor does not do on its own, so that nobody waits for it."""
    if begun is None or begun <= spec.first_month:
        return []
    return [
        f"Months before {begun} are not fetched on their own: to have them, materialise them from "
        f"the page of the job {job_name(spec)}."
    ]
