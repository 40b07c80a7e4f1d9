"""The schedules, for who prefers a clock to a sensor.

Belongs here: one monthly schedule per dataset, and when a month is due. Does not: asking TLC
(``publication``): a month that is late fails and is run again by hand or by the sensor.
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from taxi_assets.automation.history import read_history
from taxi_assets.automation.jobs import job_name
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec

# The longest wait on record, 62 days, ends on the first or second of a month.
_DAY = 5
_HOUR = 6


def month_due(today: date, lag_months: int) -> Month:
    """The newest month that TLC should have published: it ended ``lag_months`` before."""
    behind = 1 + lag_months + (today.day < _DAY)
    return Month.of(today).plus(-behind)


def month_schedule(
    spec: DatasetSpec, *, lag_months: int, status: dg.DefaultScheduleStatus
) -> dg.ScheduleDefinition:
    """Runs the month that is due, once a month, unless it has landed already."""

    @dg.schedule(
        name=f"{spec.name}_monthly",
        job_name=job_name(spec),
        cron_schedule=f"0 {_HOUR} {_DAY} * *",
        execution_timezone="UTC",
        default_status=status,
        description=(
            f"On the {_DAY}th of each month, runs the month of {spec.name} that ended "
            f"{lag_months} months before, unless it has landed. The sensor "
            f"{spec.name}_published does so on the day TLC publishes."
        ),
    )
    def due(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        month = month_due(context.scheduled_execution_time.date(), lag_months)
        history = read_history(context.instance, spec)
        if month in history.landed:
            return dg.SkipReason(f"{spec.name} {month} has landed already.")
        if month in history.under_way:
            return dg.SkipReason(f"{spec.name} {month} is in a run already.")
        return dg.RunRequest(run_key=f"{spec.name}:{month}", partition_key=str(month))

    return due
