"""A reissue at TLC makes stale what was made from the old file, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import FOUR, Platform

MONTHS = ("2024-01", "2024-02", "2024-03")


@pytest.fixture(scope="module")
def tlc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("site")) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def made(tlc: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Three months, made in one run, as a backfill makes them; each test leaves them fresh."""
    for month in MONTHS:
        tlc.publish("green", Month.parse(month), rows=300)
    platform = Platform(tmp_path_factory.mktemp("home"), tlc.url)
    platform.month("green", MONTHS[0], MONTHS[-1])
    return platform


def test_what_was_just_made_is_fresh(made: Platform) -> None:
    assert _stale(made) == {}


def test_a_reissue_makes_stale_what_was_made_of_that_month_only(
    tlc: Simulator, made: Platform
) -> None:
    tlc.publish("green", Month(2024, 2), rows=310, seed=1)
    _observe(made, "2024-02", '"another-etag"')
    assert _stale(made)[("green/raw_trips", "2024-02")] == [
        "tlc/green has a new dependency data version"
    ]
    assert {month for _, month in _stale(made)} == {"2024-02"}

    made.month("green", "2024-02")
    assert _stale(made) == {}


def test_seeing_the_same_file_again_changes_nothing(made: Platform) -> None:
    tags, _ = made.materialization("green/raw_trips", "2024-02")
    _observe(made, "2024-02", tags["dagster/data_version"])
    assert _stale(made) == {}


def test_each_asset_knows_what_it_was_made_from(made: Platform) -> None:
    for upstream, name in pairwise(FOUR):
        for month in MONTHS:
            above, _ = made.materialization(f"green/{upstream}", month)
            tags, _ = made.materialization(f"green/{name}", month)
            version = tags[f"dagster/input_data_version/green/{upstream}"]
            assert version == above["dagster/data_version"]


def test_the_same_file_again_gives_the_same_versions(made: Platform) -> None:
    before = _versions(made)
    made.month("green", MONTHS[0], MONTHS[-1])
    assert _versions(made) == before


def _versions(platform: Platform) -> dict[tuple[str, str], str]:
    return {
        (name, month): platform.materialization(f"green/{name}", month)[0]["dagster/data_version"]
        for name in FOUR
        for month in MONTHS
    }


def _observe(platform: Platform, month: str, version: str) -> None:
    platform.instance.report_runless_asset_event(
        dg.AssetObservation(
            dg.AssetKey(["tlc", "green"]),
            partition=month,
            tags={"dagster/data_version": version},
        )
    )


def _stale(platform: Platform) -> dict[tuple[str, str], list[str]]:
    """Asset and month to the reasons why Dagster calls it stale."""
    graph = platform.definitions.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(
        platform.instance, graph, LoadingContextForTest(platform.instance)
    )
    found = {}
    for name in FOUR:
        key = dg.AssetKey(["green", name])
        for month in MONTHS:
            status = resolver.get_status(key, month)
            if status != StaleStatus.FRESH:
                causes = resolver.get_stale_causes(key, month)
                found[(key.to_user_string(), month)] = [
                    f"{cause.dependency and cause.dependency.asset_key.to_user_string()} "
                    f"{cause.reason}"
                    for cause in causes
                ]
    return found
