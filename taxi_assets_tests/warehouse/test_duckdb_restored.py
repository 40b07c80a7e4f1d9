"""The records of loaded months match the rows in a DuckDB file that was restored or deleted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from taxi_assets.warehouse.base import LoadedMonth
from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse
from taxi_assets_tests.warehouse.months import FEBRUARY, JANUARY, TRIPS, load, trips


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    warehouse = DuckDBWarehouse(tmp_path / "taxi.duckdb")
    load(warehouse, tmp_path, trips([1]), version="a")
    return warehouse


def test_a_deleted_file_has_no_months(warehouse: DuckDBWarehouse) -> None:
    warehouse.path.unlink()
    assert warehouse.loaded(TRIPS.name, JANUARY) is None
    assert warehouse.loaded_months(TRIPS.name) == {}
    assert warehouse.unrecorded_months(TRIPS.name) == []
    assert not warehouse.path.exists(), "reading must not create the file"


def test_an_older_copy_has_the_older_version(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    copy = shutil.copy(warehouse.path, tmp_path / "copy.duckdb")
    load(warehouse, tmp_path, trips([2]), version="b")
    load(warehouse, tmp_path, trips([3], FEBRUARY), FEBRUARY, version="c")
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("b", 1)

    shutil.copy(copy, warehouse.path)
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("a", 1)
    assert warehouse.loaded(TRIPS.name, FEBRUARY) is None
