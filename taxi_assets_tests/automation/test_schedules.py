"""The schedules run the due month monthly and the overdue checks daily."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pytest

from taxi_assets.automation.schedules import month_schedule, overdue_schedule
from taxi_assets.datasets import Month
from taxi_assets_tests.automation.ticks import GREEN, Records

SCHEDULE = month_schedule(GREEN, lag_months=2, status=dg.DefaultScheduleStatus.STOPPED)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance on disk, which a schedule context requires."""
    with dg.instance_for_test() as made:
        yield made


def tick(records: Records) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_schedule_context(
        instance=records.instance, scheduled_execution_time=datetime(2024, 12, 5, 6, tzinfo=UTC)
    )
    answer = SCHEDULE(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def test_the_due_month_is_requested(records: Records) -> None:
    request = tick(records)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2024-09"
    assert (SCHEDULE.job_name, SCHEDULE.cron_schedule) == ("green_months", "0 6 5 * *")


def test_a_loaded_month_is_skipped(records: Records) -> None:
    records.load([Month(2024, 9)])
    assert tick(records) == dg.SkipReason("green 2024-09 is already loaded.")


def test_a_month_in_a_run_is_skipped(records: Records) -> None:
    records.start(Month(2024, 9), dg.DagsterRunStatus.NOT_STARTED)
    assert tick(records) == dg.SkipReason("green 2024-09 is already in a run.")


def test_the_overdue_months_are_checked_daily() -> None:
    schedule = overdue_schedule(status=dg.DefaultScheduleStatus.STOPPED)
    assert (schedule.job_name, schedule.cron_schedule) == ("overdue_months", "0 6 * * *")
