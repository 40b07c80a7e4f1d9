"""One month is one run: it fails alone, with its reason, and does not affect other months."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.lake.attributes import VERSION
from taxi_assets.lake.store import NewObject
from taxi_assets.simulator.publisher import trip_file
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import (
    FOUR,
    Platform,
    facts,
    failed_steps,
    failures,
    month_assets,
)

MONTHS = (Month(2024, 1), Month(2024, 2), Month(2024, 3))
ALL = {"2024-01", "2024-02", "2024-03"}
BUT_FEBRUARY = {"2024-01", "2024-03"}
CHECKS = (
    ("green/raw_trips", "published_rows"),
    ("green/clean_trips", "reconciled"),
    ("green/clean_trips", "reject_share"),
    ("green/clean_trips", "pickup_present"),
    ("green/warehouse_trips", "reconciled"),
)


@pytest.fixture
def published(tlc: Simulator) -> Simulator:
    for month in MONTHS:
        tlc.publish("green", month, rows=300)
    return tlc


def test_a_month_that_cannot_be_cleaned_fails_alone(
    published: Simulator, platform: Platform, tmp_path: Path
) -> None:
    _add_column(tmp_path, "surprise")
    _, failed, _ = results = _three_months(platform)

    assert [result.success for result in results] == [True, False, True]
    assert failed_steps(failed) == ["green__clean_trips"]
    why = facts(failed)
    assert (why.dataset, why.month, why.asset) == ("green", "2024-02", "green/clean_trips")
    assert why.error == "SchemaMismatch"
    assert "green_tripdata_2024-02.parquet" in why.happened
    assert "surprise (BIGINT) is unknown" in why.happened
    assert failures(failed) == f"{why.happened} {why.remedy}".strip()
    assert "taxi_assets/datasets/green.py" in failures(failed)
    assert platform.materialized("green/raw_trips") == ALL
    for name in FOUR[1:]:
        assert platform.materialized(f"green/{name}") == BUT_FEBRUARY
    assert platform.counts() == {"2024-01": 300, "2024-03": 300}


def test_an_unpublished_month_fails_alone_and_is_requested_once(
    published: Simulator, platform: Platform
) -> None:
    published.withdraw("green", MONTHS[1])
    _, failed, _ = results = _three_months(platform)

    assert [result.success for result in results] == [True, False, True]
    assert failed_steps(failed) == ["green__raw_trips"]
    why = facts(failed)
    assert (why.month, why.error) == ("2024-02", "MonthNotPublished")
    for name in FOUR:
        assert platform.materialized(f"green/{name}") == BUT_FEBRUARY
    assert platform.counts() == {"2024-01": 300, "2024-03": 300}
    assert [request.status for request in published.requests] == [200, 403, 200]


def test_a_failed_month_does_not_change_the_check_results_of_others(
    published: Simulator, platform: Platform, tmp_path: Path
) -> None:
    platform.month("green", "2024-01", "2024-03")
    passed = dict.fromkeys(ALL, "SUCCEEDED")
    assert {check: platform.check_status(*check) for check in CHECKS} == dict.fromkeys(
        CHECKS, passed
    )

    _add_column(tmp_path, "surprise")
    assert not platform.run(month_assets("green"), "2024-02").success
    assert platform.check_status("green/raw_trips", "published_rows") == passed
    for check in CHECKS[1:]:
        assert platform.check_status(*check) == {**passed, "2024-02": "PLANNED"}


def test_a_fixed_month_is_loaded_when_it_is_run_again(
    published: Simulator, platform: Platform, tmp_path: Path
) -> None:
    _add_column(tmp_path, "surprise")
    _three_months(platform)
    others = {key: value for key, value in platform.everything_stored().items() if "02" not in key}
    published.publish("green", MONTHS[1], rows=250, seed=1)
    platform.month("green", "2024-02")
    for name in FOUR:
        assert platform.materialized(f"green/{name}") == ALL
    assert platform.counts() == {"2024-01": 300, "2024-02": 250, "2024-03": 300}
    assert others.items() <= platform.everything_stored().items()


def test_a_failed_reissue_keeps_the_stored_month(
    published: Simulator, platform: Platform, tmp_path: Path
) -> None:
    platform.month("green", "2024-01", "2024-03")
    loaded = platform.materialization("green/warehouse_trips", "2024-02")
    _add_column(tmp_path, "surprise")
    assert not platform.run(month_assets("green"), "2024-02").success
    assert platform.materialization("green/warehouse_trips", "2024-02") == loaded
    assert platform.counts()["2024-02"] == 300


def test_each_month_has_its_own_version_in_all_assets(
    published: Simulator, platform: Platform
) -> None:
    platform.month("green", "2024-01", "2024-03")
    versions = {
        name: {month: platform.version(f"green/{name}", month) for month in ALL} for name in FOUR
    }
    assert len(set(versions["raw_trips"].values())) == 3
    assert len(set(versions["clean_trips"].values())) == 3
    assert versions["clean_trips"] == versions["lake_trips"] == versions["warehouse_trips"]


def test_several_months_in_one_run_are_refused_with_what_to_launch(
    published: Simulator, platform: Platform
) -> None:
    """Dagster's launch dialog offers it for assets without a backfill policy."""
    result = platform.run(month_assets("green"), "2024-01", "2024-03")
    why = facts(result)
    assert (why.asset, why.error) == ("green/raw_trips", "Misconfigured")
    assert "2024-01 to 2024-03" in why.happened
    assert "as a backfill" in why.remedy
    assert platform.everything_stored() == {}


@pytest.mark.parametrize(
    ("zone", "asset", "step"),
    [
        ("staging/green/2024-01", "clean_trips", "lake_trips"),
        ("rejects/green/year=2024/month=01", "lake_trips", "warehouse_trips"),
    ],
)
def test_a_month_without_its_rejects_is_refused_and_materialized_again(
    published: Simulator, platform: Platform, zone: str, asset: str, step: str
) -> None:
    platform.month("green", "2024-01")
    (rejects,) = platform.store.keys(f"{zone}/rejects")
    platform.store.delete(rejects)
    before = platform.everything_stored()

    why = facts(platform.run(f"key:green/{step}", "2024-01"))
    assert why.error == "ObjectMissing"
    assert f"green/{asset} 2024-01 cannot be used" in why.happened
    assert "its rejects were deleted" in why.happened
    assert f"green/{asset} for 2024-01" in why.remedy
    assert platform.everything_stored() == before
    assert platform.counts() == {"2024-01": 300}

    platform.month("green", "2024-01")
    assert len(list(platform.store.keys(f"{zone}/rejects"))) == 1
    assert platform.run(f"key:green/{step}", "2024-01").success


def test_a_month_of_an_older_layout_is_refused_and_materialized_again(
    published: Simulator, platform: Platform, tmp_path: Path
) -> None:
    platform.month("green", "2024-01")
    cleaned = [key for key in platform.everything_stored() if not key.startswith("raw/")]
    assert len(cleaned) == 4
    for key in cleaned:
        _unlabel(platform, key, tmp_path)

    for step in ("lake_trips", "warehouse_trips"):
        why = facts(platform.run(f"key:green/{step}", "2024-01"))
        assert (why.asset, why.month, why.error) == (f"green/{step}", "2024-01", "ObjectMissing")
        assert "an older version of taxi_assets" in why.happened
        assert "taxi_assets upgrade" in why.remedy

    platform.month("green", "2024-01")
    summary = platform.metadata("green/clean_trips", "2024-01")["cleaning"]
    assert summary.startswith("cleaned into ")
    again = [key for key in platform.everything_stored() if not key.startswith("raw/")]
    assert len(again) == 4
    for key in again:
        found = platform.store.find(key)
        assert found
        assert found.attributes[VERSION] == platform.version("green/clean_trips", "2024-01")


def _three_months(platform: Platform) -> list[dg.JobExecutionResult]:
    return [platform.run(month_assets("green"), str(month)) for month in MONTHS]


def _add_column(folder: Path, name: str) -> None:
    """Publish February again, with an unknown column."""
    path = trip_file(folder / "site", "green", MONTHS[1])
    table = pq.read_table(path)
    path.unlink()
    pq.write_table(table.append_column(name, pa.array(range(table.num_rows))), path)


def _unlabel(platform: Platform, key: str, folder: Path) -> None:
    """Replace the object by one without a version."""
    found = platform.store.find(key)
    assert found
    path = folder / "again.parquet"
    path.write_bytes(platform.store.fetch(found, folder).read_bytes())
    described = {name: text for name, text in found.attributes.items() if name != VERSION}
    platform.store.put(NewObject(path, found.sha256, found.rows, described), key, replacing=found)
