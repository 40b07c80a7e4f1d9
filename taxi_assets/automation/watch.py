"""The watch over months left behind: failed, or long published and never fetched.

Belongs here: finding them, once a day, and failing loudly with their names. Does not: telling
people (``notifications`` does, of any failed run), mending.

It is an edge trigger: the sensor starts the failing run when a month joins the list, not every day
that it stays there. The job may be run by hand at any time.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from taxi_assets.automation.history import History, read_history
from taxi_assets.automation.jobs import job_name
from taxi_assets.automation.schedules import month_due
from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.month import Month, months_between
from taxi_assets.datasets.spec import DatasetSpec

JOB = "month_watch"
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A month that needs a person; ``run_id`` is the run that failed, if one did."""

    dataset: str
    month: Month
    run_id: str | None

    def __str__(self) -> str:
        if self.run_id:
            return f"{self.dataset} {self.month}: its latest run, {self.run_id[:8]}, failed."
        return f"{self.dataset} {self.month}: no run has brought it, and TLC should have it by now."


def left_behind(
    spec: DatasetSpec, history: History, *, today: date, lag_months: int
) -> Iterator[LeftBehind]:
    """Failed months, and those missing since the earliest that landed, oldest first."""
    failed = history.failed
    due = month_due(today, lag_months)
    missing = months_between(min(history.landed), due) if history.landed else ()
    absent = {month for month in missing if month not in history.landed | history.under_way}
    for month in sorted(absent | failed.keys()):
        yield LeftBehind(spec.name, month, failed.get(month))


def watch_job(specs: Iterable[DatasetSpec], *, lag_months: int) -> dg.JobDefinition:
    """A job of one step that fails, with their names, when months are left behind."""
    specs = tuple(specs)

    @dg.op(name="no_month_is_left_behind")
    def look(context: dg.OpExecutionContext) -> None:
        found = _find(context.instance, specs, lag_months)
        if found:
            raise dg.Failure(
                description="\n".join([*map(str, found), _remedy(found)]),
                metadata={"months": len(found)},
                allow_retries=False,
            )
        context.log.info("No month is left behind.")

    @dg.job(
        name=JOB,
        description="Fails and names the months that failed or never came; succeeds otherwise.",
    )
    def watch() -> None:
        look()

    return watch


def watch_sensor(
    specs: Iterable[DatasetSpec], *, lag_months: int, status: dg.DefaultSensorStatus
) -> dg.SensorDefinition:
    """Looks once a day and runs the job when a month has joined those left behind."""
    specs = tuple(specs)

    @dg.sensor(
        name=f"{JOB}_daily",
        job_name=JOB,
        minimum_interval_seconds=_DAY_SECONDS,
        default_status=status,
        description="Once a day: runs the job that fails when months have newly been left behind.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        told = set(json.loads(context.cursor)) if context.cursor else set()
        found = _find(context.instance, specs, lag_months)
        names = sorted(f"{each.dataset} {each.month}" for each in found)
        cursor = json.dumps(names)
        if told.issuperset(names):
            known = f"Nothing new; still left behind: {', '.join(names)}."
            reason = known if names else "No month is left behind."
            return dg.SensorResult(skip_reason=reason, cursor=cursor)
        return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=cursor)

    return look


def _find(
    instance: dg.DagsterInstance, specs: Iterable[DatasetSpec], lag_months: int
) -> list[LeftBehind]:
    today = datetime.now(UTC).date()
    return [
        each
        for spec in specs
        for each in left_behind(
            spec, read_history(instance, spec), today=today, lag_months=lag_months
        )
    ]


def _remedy(found: Iterable[LeftBehind]) -> str:
    jobs = sorted({job_name(DATASETS[each.dataset]) for each in found})
    return f"Re-execute what failed; materialise what is missing with {', '.join(jobs)}."
