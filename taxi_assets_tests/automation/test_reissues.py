"""Landed months that TLC has replaced are found and run again."""

from __future__ import annotations

import dagster as dg

from taxi_assets.assets.common import source_key
from taxi_assets.automation.reissues import reissue_sensor
from taxi_assets.datasets import Month, months_between
from taxi_assets_tests.automation.looking import GREEN, STOPPED, Site, land, months_of, start

SENSOR = reissue_sensor(GREEN, seconds=3600, status=STOPPED)
JANUARY, FEBRUARY, MARCH = (Month(2024, month) for month in (1, 2, 3))


def landed(site: Site, *months: Month) -> None:
    """Publish ``months`` and record them as landed in the edition TLC has now."""
    site.publish(*months)
    for month in months:
        land(site.instance, [month], etag=site.etag(month))


def test_a_month_with_another_etag_is_requested_and_observed(site: Site) -> None:
    landed(site, JANUARY, FEBRUARY, MARCH)
    site.publish(FEBRUARY, seed=1)
    data = site.look(SENSOR)
    [request] = data.run_requests or []
    [observed] = data.asset_events
    etag = site.etag(FEBRUARY)
    stripped = etag.strip('"')
    assert request.run_key == f"green:2024-02:{stripped}"
    assert request.partition_key == "2024-02"
    assert request.asset_selection is None, "all four assets run"
    assert isinstance(observed, dg.AssetObservation)
    assert (observed.asset_key, observed.partition) == (source_key(GREEN), "2024-02")
    assert observed.tags["dagster/data_version"] == etag


def test_unchanged_months_are_left_alone_in_words(site: Site) -> None:
    landed(site, JANUARY, FEBRUARY, MARCH)
    data = site.look(SENSOR)
    assert months_of(data) == []
    assert data.asset_events == []
    assert data.skip_message == (
        "Asked for 3 of 3 landed months of green (2024-01 to 2024-03): none newly reissued. "
        "Looks again in 1 hour."
    )


def test_an_edition_is_requested_once(site: Site) -> None:
    landed(site, JANUARY)
    site.publish(JANUARY, seed=1)
    first = site.look(SENSOR)
    assert months_of(first) == ["2024-01"]
    second = site.look(SENSOR, first.cursor)
    assert months_of(second) == []
    assert "green 2024-01 was run and did not land" in str(second.skip_message)
    site.publish(JANUARY, seed=2)
    assert months_of(site.look(SENSOR, second.cursor)) == ["2024-01"]


def test_an_edition_that_was_downloaded_is_no_news(site: Site) -> None:
    landed(site, JANUARY)
    site.publish(JANUARY, seed=1)
    first = site.look(SENSOR)
    land(site.instance, [JANUARY], etag=site.etag(JANUARY))
    second = site.look(SENSOR, first.cursor)
    assert months_of(second) == []
    assert "did not land" not in str(second.skip_message)


def test_the_whole_history_is_walked_by_slices(site: Site) -> None:
    months = list(months_between(Month(2016, 1), Month(2024, 12)))
    land(site.instance, months[:-1])
    site.publish(months[0])
    landed(site, months[-1])
    asked: list[int] = []
    found: list[str] = []
    cursor = None
    for _ in range(3):
        before = len(site.tlc.requests)
        data = site.look(SENSOR, cursor)
        asked.append(len(site.tlc.requests) - before)
        cursor, found = data.cursor, found + months_of(data)
    assert found == ["2016-01"]
    assert sum(asked) == len(months) + 1, "each month once, and one control probe"
    assert max(asked) < 50


def test_a_blocked_client_requests_nothing_and_does_not_move_on(site: Site) -> None:
    landed(site, JANUARY, FEBRUARY)
    site.publish(JANUARY, seed=1)
    site.tlc.faults.block()
    data = site.look(SENSOR)
    assert months_of(data) == []
    assert str(data.skip_message).startswith("TLC refuses this machine.")
    site.tlc.faults.clear()
    assert months_of(site.look(SENSOR, data.cursor)) == ["2024-01"]


def test_a_withdrawn_month_is_named(site: Site) -> None:
    landed(site, JANUARY, FEBRUARY)
    site.tlc.withdraw("green", JANUARY)
    data = site.look(SENSOR)
    assert months_of(data) == []
    assert "TLC no longer publishes green 2024-01 (403)." in str(data.skip_message)


def test_a_month_in_a_run_is_left_alone(site: Site) -> None:
    landed(site, JANUARY)
    site.publish(JANUARY, seed=1)
    start(site, JANUARY, dg.DagsterRunStatus.NOT_STARTED)
    assert months_of(site.look(SENSOR)) == []


def test_nothing_landed_is_nothing_to_ask(site: Site) -> None:
    data = site.look(SENSOR)
    assert data.skip_message == "No month of green has landed yet. Looks again in 1 hour."
    assert not site.tlc.requests
