"""The schedules run the month that is due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import dagster as dg
import pytest

from taxi_assets.automation.schedules import month_due, month_schedule
from taxi_assets.datasets import Month
from taxi_assets_tests.automation.looking import GREEN, Site, land, start

SCHEDULE = month_schedule(GREEN, lag_months=2, status=dg.DefaultScheduleStatus.STOPPED)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Records on disk: a schedule takes no others."""
    with dg.instance_for_test() as made:
        yield made


@pytest.mark.parametrize(
    ("today", "lag", "due"),
    [
        (date(2024, 12, 5), 2, Month(2024, 9)),  # 66 days after its end: TLC's longest was 62
        (date(2024, 12, 4), 2, Month(2024, 8)),
        (date(2025, 1, 5), 2, Month(2024, 10)),
        (date(2024, 12, 5), 1, Month(2024, 10)),
        (date(2024, 12, 5), 6, Month(2024, 5)),
    ],
)
def test_a_month_is_due_so_many_months_after_its_end(today: date, lag: int, due: Month) -> None:
    assert month_due(today, lag) == due


def tick(site: Site) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_schedule_context(
        instance=site.instance, scheduled_execution_time=datetime(2024, 12, 5, 6, tzinfo=UTC)
    )
    answer = SCHEDULE(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def test_the_due_month_is_requested(site: Site) -> None:
    request = tick(site)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2024-09"
    assert (SCHEDULE.job_name, SCHEDULE.cron_schedule) == ("green_months", "0 6 5 * *")


def test_a_month_that_the_sensor_was_faster_with_is_skipped(site: Site) -> None:
    land(site.instance, [Month(2024, 9)])
    assert tick(site) == dg.SkipReason("green 2024-09 has landed already.")


def test_a_month_in_a_run_is_skipped(site: Site) -> None:
    start(site, Month(2024, 9), dg.DagsterRunStatus.NOT_STARTED)
    assert tick(site) == dg.SkipReason("green 2024-09 is in a run already.")
