"""Months left behind are named loudly, once."""

from __future__ import annotations

from datetime import date

import dagster as dg

from taxi_assets.automation.history import read_history
from taxi_assets.automation.watch import left_behind, watch_job, watch_sensor
from taxi_assets.datasets import Month, months_between
from taxi_assets_tests.automation.looking import GREEN, STOPPED, Site, land, look, start

SENSOR = watch_sensor([GREEN], lag_months=2, status=STOPPED)
FAILURE, QUEUED = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.NOT_STARTED


def found(site: Site, today: date) -> list[str]:
    history = read_history(site.instance, GREEN)
    return [str(each.month) for each in left_behind(GREEN, history, today=today, lag_months=2)]


def test_due_months_since_the_earliest_landed_are_missed(site: Site) -> None:
    land(site.instance, [Month(2024, 1), Month(2024, 3)])
    assert found(site, date(2024, 8, 4)) == ["2024-02", "2024-04"]
    assert found(site, date(2024, 8, 5)) == ["2024-02", "2024-04", "2024-05"]


def test_nothing_is_missed_where_nothing_has_landed(site: Site) -> None:
    assert found(site, date(2024, 8, 5)) == []


def test_a_failed_month_is_found_although_it_landed_before(site: Site) -> None:
    land(site.instance, [Month(2024, 1)])
    start(site, Month(2024, 1), FAILURE)
    assert found(site, date(2024, 4, 5)) == ["2024-01"]


def test_a_month_in_a_new_run_is_nobodys_business(site: Site) -> None:
    land(site.instance, [Month(2024, 1)])
    start(site, Month(2024, 2), FAILURE)
    start(site, Month(2024, 2), QUEUED)
    assert found(site, date(2024, 5, 5)) == []


def landed_but(site: Site, *missing: Month) -> None:
    """Everything up to now has landed, but ``missing``."""
    months = months_between(Month(2024, 1), Month.of(date.today()))  # noqa: DTZ011 - a month
    land(site.instance, [month for month in months if month not in missing])


def test_the_job_fails_and_names_them(site: Site) -> None:
    landed_but(site, Month(2024, 5))
    run = start(site, Month(2024, 2), FAILURE)
    result = watch_job([GREEN], lag_months=2).execute_in_process(
        instance=site.instance, raise_on_error=False
    )
    assert not result.success
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    assert failed.step_failure_data.user_failure_data.description == (
        f"green 2024-02: its latest run, {run.run_id[:8]}, failed.\n"
        "green 2024-05: no run has brought it, and TLC should have it by now.\n"
        "Re-execute what failed; materialise what is missing with green_months."
    )


def test_the_job_succeeds_when_all_is_well(site: Site) -> None:
    landed_but(site)
    assert watch_job([GREEN], lag_months=2).execute_in_process(instance=site.instance).success


def test_the_same_news_is_not_repeated_but_new_news_is_told(site: Site) -> None:
    landed_but(site, Month(2024, 5))
    first = look(SENSOR, site.instance, site.definitions)
    assert len(first.run_requests or []) == 1
    second = look(SENSOR, site.instance, site.definitions, first.cursor)
    assert second.run_requests == []
    assert second.skip_message == "Nothing new; still left behind: green 2024-05."
    start(site, Month(2024, 7), FAILURE)
    third = look(SENSOR, site.instance, site.definitions, second.cursor)
    assert len(third.run_requests or []) == 1


def test_a_month_that_recovered_and_fails_again_is_news_again(site: Site) -> None:
    landed_but(site, Month(2024, 5))
    first = look(SENSOR, site.instance, site.definitions)
    land(site.instance, [Month(2024, 5)])
    second = look(SENSOR, site.instance, site.definitions, first.cursor)
    assert second.skip_message == "No month is left behind."
    start(site, Month(2024, 5), FAILURE)
    third = look(SENSOR, site.instance, site.definitions, second.cursor)
    assert len(third.run_requests or []) == 1
