"""New months are found, requested once, and told from a blocked client."""

from __future__ import annotations

import json

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from taxi_assets.assets.common import source_key, trip_key
from taxi_assets.automation.publication import publication_sensor
from taxi_assets.datasets import Month, months_between
from taxi_assets_tests.automation.looking import (
    GREEN,
    STOPPED,
    Site,
    land,
    months_of,
    newest,
    start,
)

SENSOR = publication_sensor(GREEN, seconds=3600, status=STOPPED)


def test_a_published_month_is_requested_under_a_key_of_dataset_month_and_etag(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest())
    etag = site.etag(newest()).strip('"')
    [request] = site.look(SENSOR).run_requests or []
    assert request.run_key == f"green:{newest()}:{etag}"
    assert request.partition_key == str(newest())
    tags = {key: request.tags[key] for key in ("taxi/dataset", "taxi/month", "taxi/etag")}
    assert tags == {"taxi/dataset": "green", "taxi/month": str(newest()), "taxi/etag": etag}


def test_the_source_is_observed_with_the_etag_as_its_data_version(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest())
    [observed] = site.look(SENSOR).asset_events
    assert isinstance(observed, dg.AssetObservation)
    assert observed.asset_key == source_key(GREEN)
    assert observed.partition == str(newest())
    assert observed.tags["dagster/data_version"] == site.etag(newest())


def test_two_months_published_at_once_are_two_requests(site: Site) -> None:
    land(site.instance, [newest(back=2)])
    site.publish(newest(), newest(back=1))
    assert months_of(site.look(SENSOR)) == [str(newest()), str(newest(back=1))]


def test_a_gap_between_landed_months_is_found(site: Site) -> None:
    land(site.instance, [Month(2024, 1), *months_between(Month(2024, 3), newest())])
    site.publish(Month(2024, 2))
    assert months_of(site.look(SENSOR)) == ["2024-02"]


def test_a_long_gap_is_walked_slice_by_slice_to_its_end(site: Site) -> None:
    land(site.instance, [Month(2014, 1), newest()])
    site.publish(Month(2014, 2), newest(back=1))
    found, cursor = [], None
    for _ in range(5):
        data = site.look(SENSOR, cursor)
        found += months_of(data)
        cursor = data.cursor
    assert found == [str(newest(back=1)), "2014-02"]


def test_an_empty_installation_gets_the_newest_published_month_alone(site: Site) -> None:
    site.publish(*(newest(back=back) for back in (1, 2, 3)))
    first = site.look(SENSOR)
    assert months_of(first) == [str(newest(back=1))]
    second = site.look(SENSOR, first.cursor)
    assert months_of(second) == []
    assert f"Months before {newest(back=1)} are not fetched on their own" in str(
        second.skip_message
    )


def test_a_month_is_requested_once_and_again_only_when_it_is_another_edition(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest())
    first = site.look(SENSOR)
    again = site.look(SENSOR, first.cursor)
    assert months_of(again) == []
    assert f"green {newest()} was run and did not land" in str(again.skip_message)
    site.publish(newest(), seed=1)
    assert months_of(site.look(SENSOR, again.cursor)) == [str(newest())]


def test_a_month_in_a_queued_run_is_left_alone(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest())
    start(site, newest(), dg.DagsterRunStatus.NOT_STARTED)
    assert months_of(site.look(SENSOR)) == []
    assert not site.tlc.requests


def test_a_backfill_under_way_keeps_the_sensor_out(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest())
    site.instance.add_backfill(
        PartitionBackfill(
            backfill_id="abcdefgh",
            status=BulkActionStatus.REQUESTED,
            from_failure=False,
            tags={},
            backfill_timestamp=0.0,
            asset_selection=[trip_key(GREEN, "warehouse_trips")],
            serialized_asset_backfill_data="{}",
        )
    )
    data = site.look(SENSOR)
    assert months_of(data) == []
    assert str(data.skip_message).startswith("Backfill abcdefgh of green is under way.")
    assert not site.tlc.requests


def test_an_unpublished_month_is_skipped_in_words(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest(back=1))
    assert site.look(SENSOR).skip_message == (
        f"TLC has not published green {newest()} (403). Months before {newest(back=1)} are not "
        "fetched on their own: to have them, materialise them from the page of the job "
        "green_months. Looks again in 1 hour."
    )


def test_a_blocked_client_is_told_from_an_unpublished_month(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest(back=1), newest())
    site.tlc.faults.block()
    data = site.look(SENSOR)
    assert months_of(data) == []
    assert data.asset_events == []
    assert data.skip_message == (
        f"TLC refuses this machine. Asked {site.tlc.url} for green {newest()}: 403 each, which "
        f"would mean not published, but so did green {newest(back=1)}, which is published. "
        "Nothing was requested. If it lasts, try another network or ask later. "
        "Looks again in 1 hour."
    )
    site.tlc.faults.clear()
    assert months_of(site.look(SENSOR, data.cursor)) == [str(newest())]


def test_a_login_page_in_tlcs_place_is_a_refusal(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.tlc.faults.html(times=None)
    data = site.look(SENSOR)
    assert months_of(data) == []
    assert "a web page answers" in str(data.skip_message)


def test_a_month_without_an_answer_is_asked_for_again(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest())
    site.tlc.faults.fail(503)
    data = site.look(SENSOR)
    assert months_of(data) == []
    assert f"no answer for green {newest()}." in str(data.skip_message)
    assert months_of(site.look(SENSOR, data.cursor)) == [str(newest())]


def test_a_lost_cursor_asks_again_under_the_same_run_key(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest())
    keys = [
        (site.look(SENSOR, cursor).run_requests or [])[0].run_key for cursor in (None, "{broken")
    ]
    assert keys[0] == keys[1]


def test_the_cursor_forgets_months_that_have_landed(site: Site) -> None:
    land(site.instance, [newest(back=1)])
    site.publish(newest())
    data = site.look(SENSOR)
    assert json.loads(str(data.cursor))["asked"] == {str(newest()): site.etag(newest())}
    land(site.instance, [newest()])
    assert json.loads(str(site.look(SENSOR, data.cursor).cursor))["asked"] == {}


def test_a_complete_dataset_is_said_to_be_so(site: Site) -> None:
    land(site.instance, [newest()])
    assert str(site.look(SENSOR).skip_message).startswith(f"green is complete up to {newest()}, ")
