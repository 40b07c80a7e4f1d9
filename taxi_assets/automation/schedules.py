"""The schedules: a month per dataset once a month, and the overdue months once a day.

https://docs.dagster.io/guides/automate/schedules is the concept. The monthly ones do not ask TLC: a
month that is published later than usual fails, and is run again by hand or by the sensor.
"""

from __future__ import annotations

import dagster as dg

from taxi_assets.automation.jobs import OVERDUE_JOB, job_name
from taxi_assets.automation.records import read_records
from taxi_assets.datasets.calendar import DUE_DAY, month_due
from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["month_schedule", "overdue_schedule"]

_HOUR = 6


def month_schedule(
    spec: DatasetSpec, *, lag_months: int, status: dg.DefaultScheduleStatus
) -> dg.ScheduleDefinition:
    """Requests the month that is due, once a month, unless it is loaded already."""

    @dg.schedule(
        name=f"{spec.name}_monthly",
        job_name=job_name(spec),
        cron_schedule=f"0 {_HOUR} {DUE_DAY} * *",
        execution_timezone="UTC",
        default_status=status,
        description=(
            f"On the {DUE_DAY}th of each month, runs the month of {spec.name} that ended "
            f"{lag_months} months before, unless it is loaded. The sensor {spec.name}_published "
            "does so on the day TLC publishes."
        ),
    )
    def due(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        month = month_due(context.scheduled_execution_time.date(), lag_months)
        records = read_records(context.instance, spec)
        if month in records.loaded:
            return dg.SkipReason(f"{spec.name} {month} is loaded already.")
        if month in records.in_run:
            return dg.SkipReason(f"{spec.name} {month} is in a run already.")
        return dg.RunRequest(run_key=f"{spec.name}:{month}", partition_key=str(month))

    return due


def overdue_schedule(*, status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    """Runs the checks for overdue months once a day."""
    return dg.ScheduleDefinition(
        name=f"{OVERDUE_JOB}_daily",
        job_name=OVERDUE_JOB,
        cron_schedule=f"0 {_HOUR} * * *",
        execution_timezone="UTC",
        default_status=status,
        description="Once a day, checks every dataset for months that should be loaded by now.",
    )
