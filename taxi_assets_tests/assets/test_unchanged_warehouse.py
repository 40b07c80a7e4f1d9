"""A month is loaded again when the warehouse does not hold it in its version, and only then.

The warehouse itself is asked, never Dagster's records: a file that was deleted, restored or edited
by hand says what is in it.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform, check_results, failures, month_assets

MONTH, OTHER = "2024-01", "2024-02"
RECONCILED = ("green/warehouse_trips", "reconciled")


@pytest.fixture
def platform(tmp_path: Path, tlc: Simulator) -> Platform:
    """With two months, loaded."""
    platform = Platform(tmp_path / "home", tlc.url)
    for month in (MONTH, OTHER):
        tlc.publish("green", Month.parse(month), rows=300)
        platform.month("green", month)
    return platform


def test_a_month_that_is_loaded_in_its_version_is_not_loaded_again(platform: Platform) -> None:
    before = platform.warehouse.read_bytes()
    metadata = platform.metadata("green/warehouse_trips", MONTH)
    assert "warehouse" not in metadata
    platform.month("green", MONTH)
    assert platform.warehouse.read_bytes() == before
    assert _says_in_place(platform)
    again = platform.metadata("green/warehouse_trips", MONTH)
    for name in ("dagster/partition_row_count", "rejected_rows", "dagster/table_name"):
        assert again[name] == metadata[name]


def test_redo_loads_it_again(platform: Platform) -> None:
    loaded_at = _loaded_at(platform, MONTH)
    redo = {"green/warehouse_trips": {"redo": True}}
    assert platform.run(month_assets("green"), MONTH, config=redo).success
    assert not _says_in_place(platform)
    assert _loaded_at(platform, MONTH) > loaded_at
    platform.month("green", MONTH)
    assert _says_in_place(platform)


def test_a_month_cleaned_again_from_the_same_file_is_not_loaded_again(platform: Platform) -> None:
    redo = {f"green/{name}": {"redo": True} for name in ("raw_trips", "clean_trips", "lake_trips")}
    result = platform.run(month_assets("green"), MONTH, config=redo)
    assert result.success, failures(result)
    assert _says_in_place(platform)


def test_a_warehouse_that_was_deleted_is_loaded_again_from_what_is_in_the_lake(
    platform: Platform,
) -> None:
    lake = platform.everything_stored()
    platform.warehouse.unlink()
    platform.month("green", MONTH, OTHER)
    assert platform.counts() == {MONTH: 300, OTHER: 300}
    assert platform.everything_stored() == lake


def test_a_warehouse_that_was_restored_older_gets_the_reissue_again(
    platform: Platform, tlc: Simulator, tmp_path: Path
) -> None:
    backup = shutil.copy(platform.warehouse, tmp_path / "backup.duckdb")
    tlc.publish("green", Month.parse(MONTH), rows=280, seed=1)
    platform.month("green", MONTH)
    assert platform.counts() == {MONTH: 280, OTHER: 300}
    lake = platform.everything_stored()

    shutil.copy(backup, platform.warehouse)
    assert platform.counts() == {MONTH: 300, OTHER: 300}
    platform.month("green", MONTH, OTHER)
    assert platform.counts() == {MONTH: 280, OTHER: 300}
    assert platform.everything_stored() == lake
    assert _says_in_place(platform, OTHER)


@pytest.mark.parametrize(
    "deletion",
    [
        "DELETE FROM green_trips WHERE source_month = '2024-01-01'",
        "DELETE FROM green_rejects WHERE source_month = '2024-01-01'",
        "DELETE FROM green_trips WHERE rowid = (SELECT min(rowid) FROM green_trips "
        "WHERE source_month = '2024-01-01')",
        "DROP TABLE green_rejects",
        "DELETE FROM loaded_months WHERE source_month = '2024-01-01'",
        "DROP TABLE loaded_months",
    ],
)
def test_a_month_from_which_something_was_removed_by_hand_is_loaded_again(
    platform: Platform, deletion: str
) -> None:
    with duckdb.connect(str(platform.warehouse)) as connection:
        connection.execute(deletion)
    result = platform.month("green", MONTH)
    assert not _says_in_place(platform)
    assert check_results(result)[RECONCILED]
    assert platform.counts()[MONTH] == 300


def test_months_that_are_overdue_are_those_the_warehouse_does_not_hold(platform: Platform) -> None:
    """Of today's date nothing is said but that 2024-03 should have been there long ago."""
    result = platform.check("green/warehouse_trips", "overdue_months")
    (verdict,) = result.get_asset_check_evaluations()
    assert str(verdict.description).startswith("green 2024-03 to ")


def _says_in_place(platform: Platform, month: str = MONTH) -> bool:
    said = platform.metadata("green/warehouse_trips", month).get("warehouse")
    return said == "loaded in this version already, nothing moved"


def _loaded_at(platform: Platform, month: str) -> datetime:
    """When the month was loaded last, by the warehouse's own records."""
    ((when,),) = platform.query(
        "SELECT max(loaded_at) FROM loaded_months WHERE source_month = ?::DATE", f"{month}-01"
    )
    assert isinstance(when, datetime)
    return when
