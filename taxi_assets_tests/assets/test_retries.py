"""Which errors are retried, at which level and how often, and what a retry does not repeat."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from taxi_assets import cleaning, failures
from taxi_assets.assets import clean
from taxi_assets.dagster_names import RUN_RETRY_TAG
from taxi_assets.datasets.month import Month
from taxi_assets.retry_policy import ATTEMPTS
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import (
    Platform,
    check_results,
    facts,
    failed_steps,
    month_assets,
    retried,
)
from taxi_assets_tests.assets.platform import failures as messages
from taxi_assets_tests.lake.gcs_stub import Fault, GcsStub

ALWAYS = 10_000


@pytest.fixture(autouse=True)
def published(tlc: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """A month at TLC; retried steps do not wait."""
    monkeypatch.setattr(failures, "_STEP_RETRY_SECONDS", 0.01)
    tlc.publish("green", Month(2024, 1), rows=300)
    return tlc


@pytest.fixture
def cleanings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The months that were cleaned, in order."""
    months: list[str] = []

    def counted(spec: Any, month: Month, *rest: Any, **more: Any) -> cleaning.CleanedMonth:
        months.append(str(month))
        return cleaning.clean_month(spec, month, *rest, **more)

    monkeypatch.setattr(clean, "clean_month", counted)
    return months


def test_the_client_retries_a_short_transient_error(
    published: Simulator, platform: Platform
) -> None:
    published.faults.fail(503, times=2)
    result = platform.month("green", "2024-01")
    assert retried(result) == []
    assert not _may_be_retried(platform, result)


def test_the_step_retries_a_longer_one(published: Simulator, platform: Platform) -> None:
    published.faults.fail(503, times=2)
    result = platform.run(month_assets("green"), "2024-01", attempts=1)
    assert result.success, messages(result)
    assert retried(result) == ["green__raw_trips"] * 2
    assert not _may_be_retried(platform, result)
    assert platform.counts() == {"2024-01": 300}


def test_one_that_persists_allows_a_retry_of_the_run(
    published: Simulator, platform: Platform
) -> None:
    published.faults.fail(503, times=None)
    result = platform.run(month_assets("green"), "2024-01", attempts=1)
    assert retried(result) == ["green__raw_trips"] * 2
    assert failed_steps(result) == ["green__raw_trips"]
    why = facts(result)
    assert (why.month, why.error) == ("2024-01", "SourceUnavailable")
    assert _may_be_retried(platform, result)
    published.faults.clear()
    platform.month("green", "2024-01")


def test_a_permanent_error_is_not_retried(published: Simulator, platform: Platform) -> None:
    published.withdraw("green", Month(2024, 1))
    result = platform.run(month_assets("green"), "2024-01")
    assert facts(result).error == "MonthNotPublished"
    assert retried(result) == []
    assert not _may_be_retried(platform, result)
    assert [request.status for request in published.requests] == [403]


def test_a_missing_upstream_is_a_permanent_error(platform: Platform) -> None:
    result = platform.run("key:green/lake_trips", "2024-01")
    why = facts(result)
    assert (why.asset, why.month) == ("green/lake_trips", "2024-01")
    assert why.error == "ObjectMissing"
    assert "staging/green/2024-01/trips.parquet is not in the lake" in why.happened
    assert "green/clean_trips for 2024-01" in why.remedy
    assert retried(result) == []
    assert not _may_be_retried(platform, result)


def test_a_lake_that_cannot_be_read_is_a_transient_error(
    bucket: GcsStub, in_bucket: Platform
) -> None:
    in_bucket.month("green", "2024-01")
    bucket.faults.append(Fault("GET", "/o/staging/", 503, times=ALWAYS))
    result = in_bucket.run("key:green/lake_trips", "2024-01")
    assert retried(result) == ["green__lake_trips"] * 2
    why = facts(result)
    assert (why.asset, why.error) == ("green/lake_trips", "StoreUnavailable")
    assert _may_be_retried(in_bucket, result)
    bucket.faults.clear()
    assert in_bucket.run("key:green/lake_trips", "2024-01").success


def test_a_check_that_cannot_read_the_lake_is_retried(bucket: GcsStub, in_bucket: Platform) -> None:
    in_bucket.month("green", "2024-01")
    bucket.faults.append(Fault("GET", "/o/trips/", 503, times=ALWAYS))
    result = in_bucket.check("green/warehouse_trips", "reconciled", "2024-01")
    assert retried(result) == ["green__warehouse_trips_reconciled"] * 2
    why = facts(result)
    assert (why.dataset, why.month) == ("green", "2024-01")
    assert (why.asset, why.error) == ("green/warehouse_trips", "StoreUnavailable")
    assert check_results(result) == {}
    assert _may_be_retried(in_bucket, result)


def test_a_month_that_could_not_be_stored_is_not_cleaned_again(
    bucket: GcsStub, in_bucket: Platform, cleanings: list[str]
) -> None:
    assert in_bucket.run("key:green/raw_trips", "2024-01").success
    bucket.faults.append(Fault("POST", "/upload/", 503, times=ALWAYS))
    result = in_bucket.run("key:green/clean_trips", "2024-01")
    assert retried(result) == ["green__clean_trips"] * 2
    assert facts(result).error == "StoreUnavailable"
    assert _may_be_retried(in_bucket, result)
    assert in_bucket.materialized("green/clean_trips") == set()
    assert cleanings == ["2024-01"]


def test_a_file_that_could_not_be_stored_is_not_downloaded_again(
    bucket: GcsStub, in_bucket: Platform, tlc: Simulator
) -> None:
    bucket.faults.append(Fault("POST", "/upload/", 503, times=ALWAYS))
    result = in_bucket.run("key:green/raw_trips", "2024-01")
    assert retried(result) == ["green__raw_trips"] * 2
    assert [request.status for request in tlc.requests] == [200]


@pytest.mark.parametrize("part", ["rejects", "trips"])
def test_a_retry_stores_what_the_first_attempt_could_not(
    bucket: GcsStub, in_bucket: Platform, cleanings: list[str], part: str
) -> None:
    """Also if the rejects are already stored and the trips are not."""
    damaged = "Provided CRC32C 'x' doesn't match calculated CRC32C 'y'."
    bucket.faults.append(
        Fault("POST", "/upload/", 400, damaged, "invalid", ATTEMPTS, f"/{part}".encode())
    )
    result = in_bucket.run(month_assets("green"), "2024-01")
    assert result.success, messages(result)
    assert retried(result) == ["green__clean_trips"]
    assert cleanings == ["2024-01"]
    assert in_bucket.counts() == {"2024-01": 300}
    assert in_bucket.scratch_files() == []


def _may_be_retried(platform: Platform, result: dg.JobExecutionResult) -> bool:
    run = platform.instance.get_run_by_id(result.run_id)
    assert run is not None
    return run.tags.get(RUN_RETRY_TAG) == "true"
