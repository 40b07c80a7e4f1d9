"""When a raw month is downloaded, and what is stored then."""

from __future__ import annotations

import hashlib

import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform, failures

JANUARY = Month(2024, 1)


def test_a_reissued_file_replaces_the_old_one(tlc: Simulator, platform: Platform) -> None:
    tlc.publish("green", JANUARY, rows=300)
    platform.month("green", "2024-01")
    published = tlc.publish("green", JANUARY, rows=280, seed=1)
    platform.month("green", "2024-01")
    raw = platform.store.root / "raw/green/green_tripdata_2024-01.parquet"
    assert raw.read_bytes() == published.read_bytes()
    assert platform.counts() == {"2024-01": 280}


def test_an_unchanged_file_is_downloaded_again_on_demand(
    tlc: Simulator, platform: Platform
) -> None:
    published = tlc.publish("green", JANUARY, rows=300)
    again = {"green/raw_trips": {"redo": True}}
    for config in ({}, {}, again):
        result = platform.run("key:green/raw_trips", "2024-01", config=config)
        assert result.success, failures(result)
    assert [request.status for request in tlc.requests] == [200, 304, 200]
    summary = platform.metadata("green/raw_trips", "2024-01")["download"]
    assert summary == f"downloaded {published.stat().st_size:,} bytes"


@pytest.mark.parametrize("redo", [False, True])
def test_its_version_is_the_contents_digest_and_its_etag_is_tlcs(
    tlc: Simulator, platform: Platform, redo: bool
) -> None:
    published = tlc.publish("green", JANUARY, rows=300)
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    for config in ({}, {"green/raw_trips": {"redo": redo}}):
        assert platform.run("key:green/raw_trips", "2024-01", config=config).success
        assert platform.version("green/raw_trips", "2024-01") == digest[:16]
        metadata = platform.metadata("green/raw_trips", "2024-01")
        assert metadata["sha256"] == digest
        assert metadata["etag"] == f'"{hashlib.md5(published.read_bytes()).hexdigest()}"'
        assert metadata["file at TLC"].startswith(tlc.url)
        assert len(metadata["dagster/column_schema"].columns) == 20
