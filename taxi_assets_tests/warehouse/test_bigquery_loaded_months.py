"""BigQuery's records of loaded months, which are written outside the load's transaction."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.errors import StoreUnavailable
from taxi_assets.warehouse.base import LoadedMonth, Warehouse
from taxi_assets.warehouse.bigquery_months import BigQueryMonths
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets_tests.warehouse.catalogs import execute
from taxi_assets_tests.warehouse.months import FEBRUARY, JANUARY, MARCH, TRIPS, load, trips


@pytest.fixture
def warehouse(bigquery_url: str) -> Warehouse:
    return open_warehouse(bigquery_url)


def _copy(url: str, source: str, target: str) -> None:
    layout = "PARTITION BY DATE_TRUNC(source_month, MONTH)"
    execute(url, f"CREATE TABLE {target} {layout} AS SELECT * FROM {source}")


def _update(url: str) -> None:
    execute(url, "UPDATE green_trips SET fare = 0 WHERE zone = 1")


def _swap_a_row(url: str) -> None:
    execute(url, "DELETE FROM green_trips WHERE zone = 1")
    execute(url, "INSERT INTO green_trips (zone, source_month) VALUES (3, DATE '2024-01-01')")


def _restore_an_older_copy(url: str) -> None:
    execute(url, "DROP TABLE green_trips")
    _copy(url, "kept", "green_trips")


@pytest.mark.parametrize("change", [_update, _swap_a_row, _restore_an_older_copy])
def test_a_record_is_invalid_after_a_change_that_keeps_the_number_of_rows(
    warehouse: Warehouse, bigquery_url: str, tmp_path: Path, change: Callable[[str], None]
) -> None:
    load(warehouse, tmp_path, trips([7, 8]), version="a")
    load(warehouse, tmp_path, trips([1], FEBRUARY), FEBRUARY, version="a")
    _copy(bigquery_url, "green_trips", "kept")
    load(warehouse, tmp_path, trips([1, 2]), version="b")
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("b", 2)
    change(bigquery_url)
    assert warehouse.count(TRIPS.name, JANUARY) == 2
    assert warehouse.loaded(TRIPS.name, JANUARY) is None


def test_a_load_without_a_record_does_not_count(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, tmp_path, trips([1, 2]), version="a")

    def die(*_: Any) -> None:
        raise StoreUnavailable("The process died.")

    with monkeypatch.context() as patch:
        patch.setattr(BigQueryMonths, "record", die)
        with pytest.raises(StoreUnavailable):
            load(warehouse, tmp_path, trips([3, 4]), version="b")
    assert warehouse.loaded(TRIPS.name, JANUARY) is None
    load(warehouse, tmp_path, trips([3, 4]), version="b")
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("b", 2)


def test_a_record_written_late_does_not_hide_a_later_load(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[tuple[Any, ...]] = []
    with monkeypatch.context() as patch:
        patch.setattr(BigQueryMonths, "record", lambda *arguments: held.append(arguments))
        for version, zones in (("a", [1, 2]), ("b", [3, 4])):
            load(warehouse, tmp_path, trips(zones), version=version)
    for arguments in reversed(held):
        BigQueryMonths.record(*arguments)
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("b", 2)
    assert warehouse.loaded_months(TRIPS.name) == {JANUARY: LoadedMonth("b", 2)}


def test_months_loaded_concurrently_are_all_recorded(bigquery_url: str, tmp_path: Path) -> None:
    def run(month: Month) -> None:
        warehouse = open_warehouse(bigquery_url)
        load(warehouse, tmp_path / str(month), trips([1], month), month, version=str(month))

    months = (JANUARY, FEBRUARY, MARCH)
    with ThreadPoolExecutor() as pool:
        list(pool.map(run, months))
    warehouse = open_warehouse(bigquery_url)
    wanted = {month: LoadedMonth(str(month), 1) for month in months}
    assert {month: warehouse.loaded(TRIPS.name, month) for month in months} == wanted
