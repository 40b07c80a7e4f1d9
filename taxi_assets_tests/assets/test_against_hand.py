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
    ("green", "2022-11"),
    ("fhv", "2016-03"),
    ("fhv", "2018-12"),
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
        assert_same_rows(frame, trips)
    frame = platform.load([dataset, "lake_trips"], pd.DataFrame, month, part="rejects")
    assert_same_rows(frame, rejects)
    return trips, rejects


def assert_same_rows(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Rows, columns and types are equal, in any order of the rows."""
    columns = list(wanted.columns)
    assert list(found.columns) == columns
    pd.testing.assert_frame_equal(
        found.sort_values(columns, ignore_index=True),
        wanted.sort_values(columns, ignore_index=True),
        check_exact=True,
    )
