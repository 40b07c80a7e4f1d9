"""What a raw month is checked against, and when it is downloaded again."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform, failures

JANUARY = Month(2024, 1)


@pytest.mark.parametrize(
    ("trusted", "passed", "says"),
    [
        ("green,2024-01,300", True, "300 rows published, 300 trusted."),
        ("green,2024-01,301", False, "300 rows published, 301 trusted."),
        ("yellow,2024-01,301", True, "300 rows; no trusted count to compare."),
    ],
)
def test_another_count_than_the_trusted_one_is_a_warning(
    trusted: str, passed: bool, says: str, tmp_path: Path, tlc: Simulator
) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text(f"dataset,month,rows\n{trusted}\n")
    tlc.publish("green", JANUARY, rows=300)
    platform = Platform(tmp_path / "home", tlc.url, TAXI_ROW_COUNTS=str(counts))
    result = platform.run("key:green/raw_trips", "2024-01")
    assert result.success
    (verdict,) = result.get_asset_check_evaluations()
    assert (verdict.passed, verdict.description) == (passed, says)
    assert verdict.severity is dg.AssetCheckSeverity.WARN


def test_a_reissued_file_replaces_the_old_one(tlc: Simulator, platform: Platform) -> None:
    tlc.publish("green", JANUARY, rows=300)
    platform.month("green", "2024-01")
    published = tlc.publish("green", JANUARY, rows=280, seed=1)
    platform.month("green", "2024-01")
    raw = platform.store.root / "raw/green/green_tripdata_2024-01.parquet"
    assert raw.read_bytes() == published.read_bytes()
    counted = platform.query(
        "SELECT (SELECT count(*) FROM green_trips) + (SELECT count(*) FROM green_rejects)"
    )
    assert counted == [(280,)]


def test_an_unchanged_file_is_downloaded_again_on_demand(
    tlc: Simulator, platform: Platform
) -> None:
    tlc.publish("green", JANUARY, rows=300)
    again = {"green/raw_trips": {"download_again": True}}
    for config in ({}, {}, again):
        result = platform.run("key:green/raw_trips", "2024-01", config=config)
        assert result.success, failures(result)
    assert [request.status for request in tlc.requests] == [200, 304, 200]
    assert platform.metadata("green/raw_trips", "2024-01")["download"] == "downloaded"
