"""One bad month of a run stops only itself: its neighbours land, and it can be mended alone."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster._core.execution.job_execution_result import JobExecutionResult

from taxi_assets.datasets.month import Month
from taxi_assets.lake.store import NewObject
from taxi_assets.simulator.publisher import trip_file
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import FOUR, Platform, failed_steps, failures

MONTHS = (Month(2024, 1), Month(2024, 2), Month(2024, 3))
ALL = {"2024-01", "2024-02", "2024-03"}
BUT_FEBRUARY = {"2024-01", "2024-03"}
RETRY_RUN_TAG = "dagster/retry_on_asset_or_op_failure"


@pytest.fixture
def published(tlc: Simulator) -> Simulator:
    for month in MONTHS:
        tlc.publish("green", month, rows=300)
    return tlc


def test_a_month_that_cannot_be_cleaned_stops_only_itself(
    published: Simulator, platform: Platform, tmp_path: Path
) -> None:
    _add_column(tmp_path, "surprise")
    result = platform.run("key:green/*", "2024-01", "2024-03")

    assert not result.success
    assert "green/clean_trips 2024-02 failed: green_tripdata_2024-02.parquet" in failures(result)
    assert "surprise (int64) is unknown" in failures(result)
    assert "2024-01" not in failures(result)
    assert "2024-03" not in failures(result)
    assert "green/lake_trips 2024-02 failed: green/clean_trips did not make it" in failures(result)
    assert platform.made("green/raw_trips") == ALL
    for name in FOUR[1:]:
        assert platform.made(f"green/{name}") == BUT_FEBRUARY
    assert _counts(platform) == {"2024-01": 300, "2024-03": 300}


def test_a_month_that_cannot_be_fetched_is_the_only_one_missing(
    published: Simulator, platform: Platform
) -> None:
    published.withdraw("green", MONTHS[1])
    result = platform.run("key:green/*", "2024-01", "2024-03")

    assert not result.success
    assert failed_steps(result) == [f"green__{name}" for name in FOUR]
    for name in FOUR:
        assert platform.made(f"green/{name}") == BUT_FEBRUARY
    assert _counts(platform) == {"2024-01": 300, "2024-03": 300}


def test_a_mended_month_lands_when_it_is_run_again(
    published: Simulator, platform: Platform, tmp_path: Path
) -> None:
    _add_column(tmp_path, "surprise")
    assert not platform.run("key:green/*", "2024-01", "2024-03").success
    published.publish("green", MONTHS[1], rows=250, seed=1)
    platform.month("green", "2024-01", "2024-03")
    for name in FOUR:
        assert platform.made(f"green/{name}") == ALL
    assert _counts(platform) == {"2024-01": 300, "2024-02": 250, "2024-03": 300}


def test_a_failed_month_of_an_earlier_run_is_not_read_downstream(
    published: Simulator, platform: Platform, tmp_path: Path
) -> None:
    """What lies in the lake from an earlier run must not pass for this run's month."""
    platform.month("green", "2024-01", "2024-03")
    loaded = platform.materialization("green/warehouse_trips", "2024-02")
    _add_column(tmp_path, "surprise")
    assert not platform.run("key:green/*", "2024-01", "2024-03").success
    assert platform.materialization("green/warehouse_trips", "2024-02") == loaded
    assert _counts(platform)["2024-02"] == 300


def test_an_audit_that_fails_publishes_nothing_and_keeps_the_published_month(
    published: Simulator, platform: Platform
) -> None:
    platform.month("green", "2024-01")
    before = {
        key: stored
        for key, stored in platform.everything_stored().items()
        if not key.startswith("staging/")
    }
    strict = {"green/clean_trips": {"max_reject_share": 0}}
    result = platform.run("key:green/clean_trips+", "2024-01", config=strict)

    message = failures(result)
    assert "green/clean_trips 2024-01 failed: reject_share: " in message
    assert "% of the rows are rejected, 0.000% are allowed; most for pickup_far" in message
    assert "The months downstream are as they were." in message
    assert failed_steps(result) == ["green__clean_trips"]
    after = platform.everything_stored()
    assert {key: after[key] for key in before} == before
    assert _counts(platform) == {"2024-01": 300}

    verdicts = {
        evaluation.check_name: evaluation.passed
        for evaluation in result.get_asset_check_evaluations()
    }
    assert verdicts == {"reconciled": True, "reject_share": False, "pickup_present": True}

    # Nor does a later run of lake_trips alone publish what failed.
    alone = platform.run("key:green/lake_trips", "2024-01")
    assert "staging/green/2024-01/rejects.parquet has not passed its audit" in failures(alone)
    assert "materialise green/clean_trips for 2024-01" in failures(alone)
    assert {key: platform.everything_stored()[key] for key in before} == before

    platform.month("green", "2024-01")


@pytest.mark.parametrize(
    ("zone", "asset", "step"),
    [
        ("staging/green/2024-01", "clean_trips", "lake_trips"),
        ("rejects/green/year=2024/month=01", "lake_trips", "warehouse_trips"),
    ],
)
def test_trips_and_rejects_of_different_files_do_not_go_on_together(
    published: Simulator, platform: Platform, tmp_path: Path, zone: str, asset: str, step: str
) -> None:
    """As a worker leaves them that was killed between the two."""
    platform.month("green", "2024-01")
    key = f"{zone}/rejects.parquet"
    other = platform.store.find(key)
    assert other
    path = tmp_path / "rejects.parquet"
    path.write_bytes(platform.store.fetch(other, tmp_path).read_bytes())
    attributes = {**other.attributes, "made_from": "another file"}
    platform.store.put(NewObject(path, other.sha256, other.rows, attributes), key, replacing=other)
    before = platform.everything_stored()

    result = platform.run(f"key:green/{step}", "2024-01")
    assert "are made from different files" in failures(result)
    assert f"Materialise green/{asset} for 2024-01 again" in failures(result)
    assert platform.everything_stored() == before
    assert _counts(platform) == {"2024-01": 300}

    platform.month("green", "2024-01")


def test_each_month_has_its_own_verdicts_and_versions(
    published: Simulator, platform: Platform
) -> None:
    result = platform.run("key:green/*", "2024-01", "2024-03")
    verdicts = [
        (each.asset_key.to_user_string(), each.check_name, each.partition)
        for each in result.get_asset_check_evaluations()
    ]
    checks = [("green/raw_trips", "published_rows"), ("green/warehouse_trips", "reconciled")]
    checks += [
        ("green/clean_trips", name) for name in ("reconciled", "reject_share", "pickup_present")
    ]
    assert sorted(verdicts) == sorted((*check, month) for check in checks for month in ALL)
    for name in FOUR:
        versions = {
            platform.materialization(f"green/{name}", month)[0]["dagster/data_version"]
            for month in ALL
        }
        assert len(versions) == 3


def test_a_passing_fault_is_tried_again_by_the_client(
    published: Simulator, platform: Platform
) -> None:
    published.faults.fail(503, times=2)
    result = platform.month("green", "2024-01")
    assert not _retried(result)
    assert RETRY_RUN_TAG not in _tags(platform, result)


def test_a_longer_fault_is_tried_again_by_the_step(
    published: Simulator, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxi_assets.assets.months._STEP_RETRY_SECONDS", 0.01)
    published.faults.fail(503, path="*2024-02*", times=2)
    result = platform.run("key:green/*", "2024-01", "2024-03", attempts=1)
    assert result.success, failures(result)
    assert _retried(result) == ["green__raw_trips"] * 2
    assert RETRY_RUN_TAG not in _tags(platform, result)
    for name in FOUR:
        assert platform.made(f"green/{name}") == ALL
    # A month that landed before the retry is not fetched again.
    assert [request.status for request in published.requests if "2024-01" in request.path] == [200]


def test_a_fault_that_lasts_is_left_to_a_retry_of_the_run(
    published: Simulator, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxi_assets.assets.months._STEP_RETRY_SECONDS", 0.01)
    published.faults.fail(503, path="*2024-02*", times=None)
    result = platform.run("key:green/*", "2024-01", "2024-03", attempts=1)
    assert not result.success
    assert _retried(result) == ["green__raw_trips"] * 2
    assert "green/raw_trips 2024-02 failed: green 2024-02: TLC is unavailable" in failures(result)
    assert _tags(platform, result)[RETRY_RUN_TAG] == "true"
    assert platform.made("green/warehouse_trips") == BUT_FEBRUARY
    published.faults.clear()
    platform.month("green", "2024-02")


def test_a_permanent_error_is_tried_once(published: Simulator, platform: Platform) -> None:
    published.withdraw("green", MONTHS[0])
    asked = len(published.requests)
    result = platform.run("key:green/*", "2024-01")
    assert not result.success
    assert not _retried(result)
    assert RETRY_RUN_TAG not in _tags(platform, result)
    assert len(published.requests) - asked <= 1


def _add_column(folder: Path, name: str) -> None:
    """Publish February again, with a column nobody knows."""
    path = trip_file(folder / "site", "green", MONTHS[1])
    table = pq.read_table(path)
    path.unlink()
    pq.write_table(table.append_column(name, pa.array(range(table.num_rows))), path)


def _counts(platform: Platform) -> dict[str, int]:
    """Trips and rejects in the warehouse, by month."""
    return dict(
        platform.query(
            """SELECT strftime(source_month, '%Y-%m'), count(*) FROM (
                SELECT source_month FROM green_trips
                UNION ALL SELECT source_month FROM green_rejects
            ) GROUP BY 1"""
        )
    )


def _retried(result: JobExecutionResult) -> list[str]:
    return [
        str(event.step_key)
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY
    ]


def _tags(platform: Platform, result: JobExecutionResult) -> dict[str, str]:
    run = platform.instance.get_run_by_id(result.run_id)
    assert run is not None
    return dict(run.tags)
