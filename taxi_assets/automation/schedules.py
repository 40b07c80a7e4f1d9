"""The schedules: one month per dataset and the taxi zones, monthly, and the overdue checks, daily.

https://docs.dagster.io/guides/automate/schedules explains schedules. The monthly ones do not poll
TLC: a month that is published later than usual fails and is run again by hand or by the sensor.
"""

from __future__ import annotations

import dagster as dg

from taxi_assets.automation.jobs import OVERDUE_JOB, ZONES_JOB, job_name
from taxi_assets.automation.records import read_records
from taxi_assets.datasets.calendar import DUE_DAY, month_due
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.wording import counted

__all__ = ["month_schedule", "overdue_schedule", "zones_schedule"]

_HOUR = 6


def month_schedule(
    spec: DatasetSpec, *, lag_months: int, status: dg.DefaultScheduleStatus
) -> dg.ScheduleDefinition:
    """Requests the month that is due, once a month, unless it is already loaded."""

    @dg.schedule(
        name=f"{spec.name}_monthly",
        job_name=job_name(spec),
        cron_schedule=f"0 {_HOUR} {DUE_DAY} * *",
        execution_timezone="UTC",
        default_status=status,
        description=(
            f"On the {DUE_DAY}th of each month, runs the month of {spec.name} that ended "
            f"{counted(lag_months, 'month')} before, unless it is loaded. The sensor "
            f"{spec.name}_published runs it on the day TLC publishes it."
        ),
    )
    def due(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        month = month_due(context.scheduled_execution_time.date(), lag_months)
        records = read_records(context.instance, spec)
        if month in records.loaded:
            return dg.SkipReason(f"{spec.name} {month} is already loaded.")
        if month in records.in_run:
            return dg.SkipReason(f"{spec.name} {month} is already in a run.")
        return dg.RunRequest(run_key=f"{spec.name}:{month}", partition_key=str(month))

    return due


def overdue_schedule(*, status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    """Runs the checks for overdue months daily."""
    return dg.ScheduleDefinition(
        name=f"{OVERDUE_JOB}_daily",
        job_name=OVERDUE_JOB,
        cron_schedule=f"0 {_HOUR} * * *",
        execution_timezone="UTC",
        default_status=status,
        description="Checks every dataset daily for months that should be loaded by now.",
    )


def zones_schedule(*, status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    """Refreshes the zones monthly, for deployments that poll nothing."""
    return dg.ScheduleDefinition(
        name=f"{ZONES_JOB}_monthly",
        job_name=ZONES_JOB,
        cron_schedule=f"0 {_HOUR - 1} {DUE_DAY} * *",  # before the months
        execution_timezone="UTC",
        default_status=status,
        description=f"On the {DUE_DAY}th of each month, loads the taxi zones, or refreshes them if "
        "TLC has changed their files. The sensor zones_published does so on the next day.",
    )
