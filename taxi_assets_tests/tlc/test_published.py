"""HEAD requests, one and many."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.errors import Misconfigured, SourceBlocked, SourceUnavailable
from taxi_assets.tlc import DEFAULT_URL, TlcClient
from taxi_assets_tests.tlc.conftest import JANUARY, PATH
from taxi_assets_tests.tlc.site import Fault, Site

YEAR = [("green", Month(2024, month)) for month in range(1, 13)]


def path_of(month: Month) -> str:
    return f"/trip-data/green_tripdata_{month}.parquet"


def test_month_url_is_the_address_tlc_uses() -> None:
    with TlcClient() as client:
        assert client.month_url("fhvhv", Month(2019, 2)) == (
            f"{DEFAULT_URL}/trip-data/fhvhv_tripdata_2019-02.parquet"
        )


def test_a_published_month_is_described_without_its_body(site: Site, client: TlcClient) -> None:
    site.publish(PATH, b"x" * 1234).etag = '"0123456789abcdef0123456789abcdef-7"'
    found = client.published("green", JANUARY)
    assert found is not None
    assert found.url == site.url + PATH
    assert found.size == 1234
    assert found.etag == '"0123456789abcdef0123456789abcdef-7"'
    assert found.md5 is None  # the ETag of a multipart upload is not an MD5
    assert found.last_modified == datetime(2024, 8, 22, 14, 20, 7, tzinfo=UTC)
    assert [seen.method for seen in site.seen] == ["HEAD"]
    assert site.seen[0].headers["user-agent"].startswith("taxi-assets/")


@pytest.mark.parametrize("status", [403, 404])
def test_an_absent_month_is_none_after_one_request(
    site: Site, client: TlcClient, status: int
) -> None:
    site.faults_of[PATH] = Fault(status=status)
    assert client.published("green", JANUARY) is None
    assert len(site.seen) == 1


def test_a_web_page_instead_of_the_file_is_a_blocked_source(site: Site, client: TlcClient) -> None:
    site.publish(PATH, b"<html>").headers["Content-Type"] = "text/html; charset=utf-8"
    with pytest.raises(
        SourceBlocked, match=r"green 2024-01: .* answered with a web page instead of the file"
    ):
        client.published("green", JANUARY)


def test_the_control_probe_distinguishes_blocked_from_not_published(
    site: Site, client: TlcClient
) -> None:
    site.publish(PATH, b"x")
    assert client.published("green", JANUARY.plus(1)) is None
    assert not client.is_blocked("green", JANUARY)
    site.faults_of[PATH] = Fault(status=403)
    assert client.is_blocked("green", JANUARY)


def test_many_months_are_requested_concurrently_up_to_the_limit(
    site: Site, client: TlcClient
) -> None:
    for _, month in YEAR[:5]:
        site.publish(path_of(month), b"x")
    site.rendezvous = threading.Barrier(
        4
    )  # breaks unless four requests come at the same time, three times
    found = client.published_many(YEAR, concurrency=4, deadline_seconds=10)
    assert site.busiest == 4
    assert list(found) == YEAR
    assert [pair for pair, published in found.items() if published] == YEAR[:5]


def test_many_omits_a_month_with_a_transient_error(site: Site, client: TlcClient) -> None:
    site.faults_of[path_of(Month(2024, 3))] = Fault(status=503)
    found = client.published_many(YEAR, deadline_seconds=10)
    assert set(YEAR) - set(found) == {("green", Month(2024, 3))}


def test_many_returns_the_results_it_has_at_the_deadline(site: Site, client: TlcClient) -> None:
    site.publish(path_of(Month(2024, 1)), b"x")
    for _, month in YEAR[1:]:
        site.faults_of[path_of(month)] = Fault(trickle=True)
    started = time.monotonic()
    found = client.published_many(YEAR, concurrency=2, deadline_seconds=0.4)
    assert 0.4 <= time.monotonic() - started < 2
    assert list(found) == YEAR[:1]
    assert len(site.seen) == 3  # two were still answering; the other nine were never requested


def test_many_raises_a_permanent_error(site: Site, client: TlcClient) -> None:
    site.faults_of[path_of(Month(2024, 3))] = Fault(status=400)
    with pytest.raises(Misconfigured, match="green 2024-03"):
        client.published_many(YEAR, deadline_seconds=10)


def test_many_without_time_sends_no_request(site: Site, client: TlcClient) -> None:
    assert client.published_many(YEAR, deadline_seconds=0) == {}
    assert site.seen == []


def test_a_head_is_retried_a_limited_number_of_times(site: Site, client: TlcClient) -> None:
    site.publish(PATH, b"x")
    site.faults.extend([Fault(status=500), Fault(drop=True)])
    assert client.published("green", JANUARY) is not None
    site.faults_of[PATH] = Fault(status=500)
    with pytest.raises(SourceUnavailable, match=r"green 2024-01: .*answered 500"):
        client.published("green", JANUARY)
