"""The publication sensor with a simulated TLC and real records; ``test_planning`` has all cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemotePartitionSetOrigin,
    RemoteRepositoryOrigin,
)
from sqlalchemy import event
from sqlalchemy.engine import Engine

from taxi_assets.assets.common import source_key, trip_key
from taxi_assets.automation.publication import publication_sensor
from taxi_assets.automation.records import read_records
from taxi_assets.dagster_names import DATA_VERSION_TAG, WILL_RETRY_TAG
from taxi_assets.datasets import Month, months_between
from taxi_assets.errors import CorruptDownload
from taxi_assets_tests.automation.garbage import FOREIGN
from taxi_assets_tests.automation.standins import VERSION
from taxi_assets_tests.automation.ticks import GREEN, STOPPED, Site, months_of, newest

SENSOR = publication_sensor(GREEN, seconds=3600, status=STOPPED)
QUEUED, FAILURE = dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.FAILURE


def test_a_published_month_is_requested_and_observed(site: Site) -> None:
    site.loaded(newest(back=1))
    site.publish(newest())
    data = site.tick(SENSOR)
    [request] = data.run_requests or []
    [observed] = data.asset_events
    etag = site.etag(newest())
    stripped = etag.strip('"')
    assert request.run_key == f"green:{newest()}:{stripped}:first"
    assert (request.job_name, request.partition_key) == ("green_months", str(newest()))
    assert isinstance(observed, dg.AssetObservation)
    assert (observed.asset_key, observed.partition) == (source_key(GREEN), str(newest()))
    assert observed.tags[DATA_VERSION_TAG] == etag


def test_a_version_that_is_published_again_is_loaded_again_each_time(site: Site) -> None:
    keys: list[tuple[str, str]] = []
    etags: list[str] = []
    cursor = None
    for seed in (0, 1, 0, 1):
        site.publish(newest(), seed=seed)
        data = site.tick(SENSOR, cursor)
        cursor = data.cursor
        [request] = data.run_requests or []
        etags.append(site.etag(newest()))
        site.records.script.etags[str(newest())] = etags[-1]
        run = site.records.run(newest()).dagster_run
        keys.append((str(request.run_key), run.run_id))
        assert months_of(site.tick(SENSOR, cursor)) == []
    assert etags == [*etags[:2], *etags[:2]]
    assert len({key for key, _ in keys}) == 4
    replaced = [key.rpartition(":")[2] for key, _ in keys]
    assert replaced == ["first", *(run_id for _, run_id in keys[:3])]


def test_a_failed_month_is_not_requested_again_until_it_is_reissued(site: Site) -> None:
    site.loaded(newest(back=1))
    site.publish(newest())
    first = site.tick(SENSOR)
    assert months_of(first) == [str(newest())]
    site.records.script.etags[str(newest())] = site.etag(newest())
    site.records.script.errors["green/clean_trips", str(newest())] = CorruptDownload("It is cut.")
    assert not site.records.run(newest()).success, "although it was downloaded"
    second = site.tick(SENSOR, first.cursor)
    assert months_of(second) == []
    assert f"Requested but not loaded: green {newest()}." in str(second.skip_message)
    site.publish(newest(), seed=1)
    assert months_of(site.tick(SENSOR, second.cursor)) == [str(newest())]


def test_a_month_that_was_downloaded_by_hand_and_not_loaded_is_requested(site: Site) -> None:
    site.loaded(newest())
    site.publish(newest(), seed=1)
    site.records.script.etags[str(newest())] = site.etag(newest())
    raw = site.records.definitions.resolve_job_def("green_months").get_subset(
        asset_selection={trip_key(GREEN, "raw_trips")}
    )
    raw.execute_in_process(instance=site.records.instance, partition_key=str(newest()))
    assert months_of(site.tick(SENSOR)) == [str(newest())]


@pytest.mark.parametrize(
    ("metadata", "version"),
    [({}, VERSION), ({"etag": '"first"'}, "0123456789abcdef")],
    ids=["without an ETag", "with a version of another format"],
)
def test_months_of_an_earlier_release_are_named_and_not_requested(
    site: Site, metadata: Mapping[str, str], version: str
) -> None:
    site.publish(newest(back=1))
    site.records.load([newest(back=1)], metadata=metadata, version=version)
    data = site.tick(SENSOR)
    assert months_of(data) == []
    assert (
        f"Loaded by an earlier release and not reloaded automatically: green {newest(back=1)}. "
        "Run python -m taxi_assets upgrade."
    ) in str(data.skip_message)


@pytest.mark.parametrize("retried", [False, True])
def test_a_month_in_a_run_is_not_requested_until_the_run_has_ended(
    site: Site, retried: bool
) -> None:
    site.loaded(newest())
    site.publish(newest(), seed=1)
    run = site.records.start(newest(), FAILURE if retried else QUEUED)
    if retried:
        site.records.instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "true"})
    data = site.tick(SENSOR)
    assert months_of(data) == []
    assert f"In a run: green {newest()}." in str(data.skip_message)
    site.records.instance.delete_run(run.run_id)
    assert months_of(site.tick(SENSOR, data.cursor)) == [str(newest())]


def test_runs_of_another_dataset_and_of_the_verify_job_are_ignored(site: Site) -> None:
    site.loaded(newest())
    site.publish(newest(), seed=1)
    for job in ("yellow_months", "green_verify"):
        site.records.start(newest(), QUEUED, job=job)
    assert months_of(site.tick(SENSOR)) == [str(newest())]


@pytest.mark.parametrize(
    "target",
    [
        {
            "asset_selection": [trip_key(GREEN, "warehouse_trips")],
            "serialized_asset_backfill_data": "{}",
        },
        {
            "partition_set_origin": RemotePartitionSetOrigin(
                repository_origin=RemoteRepositoryOrigin(
                    code_location_origin=RegisteredCodeLocationOrigin("taxi_assets"),
                    repository_name="repository",
                ),
                partition_set_name="green_months_partition_set",
            ),
            "partition_names": ["2024-01"],
        },
    ],
    ids=["of assets", "of the job"],
)
def test_nothing_is_polled_during_a_backfill(site: Site, target: dict[str, Any]) -> None:
    site.loaded(newest(back=1))
    site.publish(newest())
    backfill = PartitionBackfill(
        backfill_id="abcdefgh",
        status=BulkActionStatus.REQUESTED,
        from_failure=False,
        tags={},
        backfill_timestamp=0.0,
        **target,
    )
    site.records.instance.add_backfill(backfill)
    before = len(site.tlc.requests)
    data = site.tick(SENSOR)
    assert data.skip_message == "Backfill abcdefgh of green is in progress. Polls again in 1 hour."
    assert len(site.tlc.requests) == before
    over = backfill._replace(status=BulkActionStatus.COMPLETED_SUCCESS)
    site.records.instance.update_backfill(over)
    assert months_of(site.tick(SENSOR, data.cursor)) == [str(newest())]


def test_an_unpublished_month_is_skipped_with_a_reason(site: Site) -> None:
    site.loaded(newest(back=1))
    assert site.tick(SENSOR).skip_message == (
        f"Polled green {newest(back=1)}, {newest()}: none newly published or reissued. TLC has not "
        f"published green {newest()} (403). Months before {newest(back=1)} are not loaded "
        "automatically: start a backfill of green to load them. Polls again in 1 hour."
    )


def test_a_blocked_client_is_distinguished_from_an_unpublished_month(site: Site) -> None:
    site.loaded(newest(back=1))
    site.publish(newest())
    site.tlc.faults.block()
    data = site.tick(SENSOR)
    assert months_of(data) == []
    assert data.asset_events == []
    both = f"{newest(back=1)}, {newest()}"
    assert data.skip_message == (
        f"TLC refuses this machine: {site.tlc.url} answered 403 for green {both} and also for "
        f"green {newest(back=1)}, which is published. Nothing was requested. If this persists, "
        "wait or try another network. Polls again in 1 hour."
    )
    site.tlc.faults.clear()
    assert months_of(site.tick(SENSOR, data.cursor)) == [str(newest())]


def test_a_login_page_instead_of_tlc_is_a_refusal(site: Site) -> None:
    site.loaded(newest(back=1))
    site.tlc.faults.html(times=None)
    data = site.tick(SENSOR)
    assert months_of(data) == []
    assert "answered with a web page" in str(data.skip_message)


def test_a_month_without_an_answer_is_polled_again(site: Site) -> None:
    site.loaded(newest(back=1))
    site.publish(newest())
    site.tlc.faults.fail(503, times=None)
    data = site.tick(SENSOR)
    assert months_of(data) == []
    assert "TLC did not answer for green" in str(data.skip_message)
    site.tlc.faults.clear()
    assert months_of(site.tick(SENSOR, data.cursor)) == [str(newest())]


def test_the_whole_history_is_polled_over_several_ticks(site: Site) -> None:
    months = list(months_between(Month(2016, 1), newest()))
    site.records.load(months)
    site.loaded(newest())
    site.publish(months[0])
    found: list[str] = []
    cursor = None
    for _ in range(-(-(len(months) - 12) // 48)):
        before = len(site.tlc.requests)
        data = site.tick(SENSOR, cursor)
        assert len(site.tlc.requests) - before <= 60
        cursor, found = data.cursor, found + months_of(data)
    assert found == ["2016-01"]


def test_a_hundred_months_take_as_many_queries_as_one(site: Site) -> None:
    site.loaded(newest())
    with statements() as of_one:
        read_records(site.records.instance, GREEN)
    site.records.load(months_between(newest(back=100), newest(back=1)))
    with statements() as of_many:
        read_records(site.records.instance, GREEN)
    assert len(of_many) == len(of_one) > 0


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements sent to any database inside the block."""
    found: list[str] = []

    def keep(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", keep)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", keep)


@pytest.mark.parametrize("cursor", FOREIGN[::4], ids=lambda text: text[:40])
def test_a_cursor_that_is_not_its_own_requests_what_it_must(site: Site, cursor: str) -> None:
    site.loaded(newest(back=1))
    site.publish(newest(), newest(back=2))
    data = site.tick(SENSOR, cursor)
    assert months_of(data) == [str(newest())], "and no earlier month, which needs a backfill"
    assert months_of(site.tick(SENSOR, data.cursor)) == []
