"""A reissue makes the assets of its month stale; observing the same file again does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from taxi_assets import cleaning
from taxi_assets.assets import clean
from taxi_assets.assets.raw import observation
from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets.tlc import TlcClient
from taxi_assets.versions import LAYOUT
from taxi_assets_tests.assets.platform import FOUR, Platform, failures, month_assets

MONTHS = ("2024-01", "2024-02", "2024-03")


@pytest.fixture(scope="module")
def tlc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("site")) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def made(tlc: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Three months, each observed and then materialized, as by a sensor; tests leave them fresh."""
    platform = Platform(tmp_path_factory.mktemp("home"), tlc.url)
    for month in MONTHS:
        tlc.publish("green", Month.parse(month), rows=300)
        _observe(platform, tlc, month)
        platform.month("green", month)
    return platform


def test_a_materialized_month_is_fresh(made: Platform) -> None:
    assert _stale(made) == {}


def test_a_reissue_makes_only_its_own_month_stale(tlc: Simulator, made: Platform) -> None:
    tlc.publish("green", Month(2024, 2), rows=310, seed=1)
    _observe(made, tlc, "2024-02")
    assert _stale(made)[("green/raw_trips", "2024-02")] == [
        "tlc/green has a new dependency data version"
    ]
    assert {month for _, month in _stale(made)} == {"2024-02"}

    made.month("green", "2024-02")
    assert _stale(made) == {}


def test_a_reissue_that_is_loaded_before_it_is_observed_is_fresh(
    tlc: Simulator, made: Platform
) -> None:
    tlc.publish("green", Month(2024, 3), rows=320, seed=1)
    made.month("green", "2024-03")
    assert _stale(made) == {}


def test_observing_the_same_file_again_changes_nothing(tlc: Simulator, made: Platform) -> None:
    _observe(made, tlc, "2024-02")
    assert _stale(made) == {}


def test_each_asset_has_the_version_of_its_upstream_month(made: Platform) -> None:
    for upstream, name in pairwise(FOUR[1:]):
        for month in MONTHS:
            assert made.version(f"green/{name}", month) == made.version(f"green/{upstream}", month)
    for month in MONTHS:
        raw = made.metadata("green/raw_trips", month)["sha256"]
        assert made.version("green/clean_trips", month).startswith(f"{LAYOUT}-{raw[:12]}-")


@pytest.mark.parametrize("name", FOUR)
def test_rematerializing_an_asset_leaves_everything_fresh(made: Platform, name: str) -> None:
    before = _versions(made)
    result = made.run(f"key:green/{name}", MONTHS[0], config={f"green/{name}": {"redo": True}})
    assert result.success, failures(result)
    assert _versions(made) == before
    assert _stale(made) == {}


def test_cleaning_a_file_into_different_bytes_gives_the_same_version(
    tlc: Simulator, made: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With several row groups the order of rows differs from run to run."""
    published = tlc.publish("green", Month.parse(MONTHS[0]), rows=20_000)
    _in_row_groups(published, 2_000)
    made.month("green", MONTHS[0])
    before, digests = _versions(made), {_staged(made)}
    redo = {f"green/{name}": {"redo": True} for name in FOUR}
    for rows in (3_000, 5_000):
        monkeypatch.setattr(clean, "clean_month", _in_other_row_groups(rows))
        result = made.run(month_assets("green"), MONTHS[0], config=redo)
        assert result.success, failures(result)
        digests.add(_staged(made))
        assert _versions(made) == before
        assert _stale(made) == {}
    assert len(digests) == 3


def _versions(platform: Platform) -> dict[tuple[str, str], str]:
    return {
        (name, month): platform.version(f"green/{name}", month) for name in FOUR for month in MONTHS
    }


def _in_row_groups(path: Path, rows: int) -> None:
    table = pq.read_table(path)
    path.unlink()
    pq.write_table(table, path, row_group_size=rows)


def _in_other_row_groups(rows: int) -> Callable[..., cleaning.CleanedMonth]:
    """Cleaning that writes the same rows in reverse order and in groups of ``rows``."""

    def cleaned(*arguments: Any, **more: Any) -> cleaning.CleanedMonth:
        month = cleaning.clean_month(*arguments, **more)
        trips = pq.read_table(month.trips, partitioning=None)
        backwards = trips.take(pa.array(range(trips.num_rows - 1, -1, -1)))
        pq.write_table(backwards, month.trips, row_group_size=rows)
        return month

    return cleaned


def _staged(platform: Platform) -> str:
    found = platform.store.find(f"staging/green/{MONTHS[0]}/trips.parquet")
    assert found
    return found.sha256


def _observe(platform: Platform, tlc: Simulator, month: str) -> None:
    """Record the observation of TLC's current file, as a sensor does."""
    with TlcClient(tlc.url) as client:
        published = client.published("green", Month.parse(month))
    assert published
    platform.instance.report_runless_asset_event(
        observation(DATASETS["green"], Month.parse(month), published)
    )


def _stale(platform: Platform) -> dict[tuple[str, str], list[str]]:
    """Dagster's stale causes by asset and month."""
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
