"""A loaded month equals an independent implementation of its specification in pandas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.publisher import trip_file
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets import by_hand
from taxi_assets_tests.assets.platform import Platform

SIMULATED = (
    ("yellow", "2009-05"),
    ("yellow", "2010-02"),
    ("yellow", "2024-01"),
    ("yellow", "2025-11"),
    ("yellow", "2026-06"),
    ("green", "2022-11"),
    ("green", "2026-06"),
    ("fhv", "2017-05"),
    ("fhv", "2017-06"),
    ("fhvhv", "2025-01"),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Path]]:
    folder = tmp_path_factory.mktemp("hand")
    with Simulator(folder / "site") as tlc:
        for dataset, month in SIMULATED:
            tlc.publish(dataset, Month.parse(month), rows=4_000)
        yield Platform(folder / "home", tlc.url), folder / "site"


@pytest.mark.parametrize(("dataset", "month"), SIMULATED)
def test_a_simulated_month(site: tuple[Platform, Path], dataset: str, month: str) -> None:
    platform, folder = site
    trips, rejects = _same_as_by_hand(
        platform, dataset, month, trip_file(folder, dataset, Month.parse(month))
    )
    assert len(rejects) > 0
    assert trips["quality_flags"].notna().any()


def test_a_real_month(real_tlc: Path, tmp_path: Path) -> None:
    with Simulator(real_tlc) as tlc:
        published = trip_file(real_tlc, "green", Month(2024, 1))
        _same_as_by_hand(Platform(tmp_path, tlc.url), "green", "2024-01", published)


def _same_as_by_hand(
    platform: Platform, dataset: str, month: str, published: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    platform.month(dataset, month)
    trips, rejects = by_hand.clean(dataset, month, pq.read_table(published))
    for name in ("lake_trips", "warehouse_trips"):
        frame = platform.load([dataset, name], pd.DataFrame, month)
        by_hand.assert_same_rows(frame, trips)
    frame = platform.load([dataset, "lake_trips"], pd.DataFrame, month, part="rejects")
    by_hand.assert_same_rows(frame, rejects)
    return trips, rejects
