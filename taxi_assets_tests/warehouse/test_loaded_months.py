"""The records of loaded months: the same tests for DuckDB, BigQuery and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.spec import Type
from taxi_assets.errors import AuditFailed, Misconfigured, PermanentError
from taxi_assets.warehouse.base import Load, LoadedMonth, Warehouse
from taxi_assets.warehouse.tables import Table, TableColumn
from taxi_assets_tests.warehouse.catalogs import descriptions_of, drop_month, execute
from taxi_assets_tests.warehouse.months import (
    FEBRUARY,
    JANUARY,
    MARCH,
    REJECTS,
    TRIPS,
    load,
    parquet,
    trip,
    trips,
    zones_of,
)

_RECORDS = (
    "SELECT DISTINCT table_name, source_month, version, row_count FROM loaded_months "
    "WHERE row_count IS NOT NULL"
)


def test_an_empty_warehouse_has_no_records(warehouse: Warehouse) -> None:
    assert warehouse.loaded(TRIPS.name, JANUARY) is None
    assert warehouse.loaded_months(TRIPS.name) == {}
    assert warehouse.unrecorded_months(TRIPS.name) == []


def test_a_month_is_recorded_with_its_version_and_rows(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    source = parquet(tmp_path, trips(range(300)))
    pq.write_table(pq.read_table(source.path()), source.path(), row_group_size=100)
    rejects = parquet(tmp_path, trips([9]), REJECTS)
    warehouse.replace([Load(TRIPS, source, "a"), Load(REJECTS, rejects, "a")], JANUARY)

    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("a", 300)
    assert warehouse.loaded(REJECTS.name, JANUARY) == LoadedMonth("a", 1)
    assert warehouse.loaded(TRIPS.name, FEBRUARY) is None
    assert sorted(execute(warehouse_url, _RECORDS)) == [
        ("green_rejects", date(2024, 1, 1), "a", 1),
        ("green_trips", date(2024, 1, 1), "a", 300),
    ]


def test_a_record_has_its_time_in_utc(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    ((loaded_at,),) = execute(
        warehouse_url, "SELECT loaded_at FROM loaded_months WHERE row_count > 0"
    )
    assert abs(datetime.now(UTC).replace(tzinfo=None) - loaded_at) < timedelta(minutes=10)


def test_a_reloaded_month_has_its_new_version(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    for version, zones in (("a", [1, 2]), ("b", [3]), ("a", [1, 2])):
        load(warehouse, tmp_path, trips(zones), version=version)
        assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth(version, len(zones))
        assert warehouse.loaded_months(TRIPS.name) == {JANUARY: LoadedMonth(version, len(zones))}
    newest = "SELECT version, row_count FROM loaded_months ORDER BY loaded_at DESC LIMIT 1"
    assert execute(warehouse_url, newest) == [("a", 2)]


def test_every_month_has_its_own_record(warehouse: Warehouse, tmp_path: Path) -> None:
    months = {MARCH: "c", JANUARY: "a", FEBRUARY: "b"}
    for month, version in months.items():
        load(warehouse, tmp_path, trips([month.month], month), month, version=version)
        load(warehouse, tmp_path, [], month, REJECTS, version=f"{version}-rejects")
    wanted = {month: LoadedMonth(version, 1) for month, version in months.items()}
    assert warehouse.loaded_months(TRIPS.name) == wanted
    assert {month: warehouse.loaded(TRIPS.name, month) for month in months} == wanted


def test_rows_without_a_version_have_a_record_without_version(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]), version="a")
    load(warehouse, tmp_path, trips([2]))
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth(None, 1)
    assert warehouse.loaded_months(TRIPS.name) == {JANUARY: LoadedMonth(None, 1)}


def test_an_empty_month_counts_as_loaded(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, trips([1]), version="a")
    load(warehouse, tmp_path, [], version="b")
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("b", 0)
    assert warehouse.unrecorded_months(TRIPS.name) == []


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_truncated, _overwritten])
def test_a_failed_load_keeps_the_old_record(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    load(warehouse, tmp_path, trips([1, 2]), version="a")
    bad = parquet(tmp_path, trips([3]))
    damage(bad.path())
    with pytest.raises(PermanentError):
        warehouse.replace([Load(TRIPS, bad, "b")], JANUARY)
    with pytest.raises(AuditFailed):
        load(warehouse, tmp_path, [trip(3), trip(4, FEBRUARY)], version="c")
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("a", 2)
    assert execute(warehouse_url, _RECORDS) == [("green_trips", date(2024, 1, 1), "a", 2)]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM green_trips WHERE zone = 2",
        "INSERT INTO green_trips (zone, source_month) VALUES (3, DATE '2024-01-01')",
        "DROP TABLE green_trips",
    ],
)
def test_a_record_is_invalid_after_a_manual_change(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path, change: str
) -> None:
    load(warehouse, tmp_path, trips([1, 2]), version="a")
    execute(warehouse_url, change)
    assert warehouse.loaded(TRIPS.name, JANUARY) is None
    load(warehouse, tmp_path, trips([1, 2]), version="a")
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("a", 2)


def test_a_dropped_month_is_not_loaded_but_another_month_is(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    for month in (JANUARY, FEBRUARY):
        load(warehouse, tmp_path, trips([1, 2], month), month, version=str(month))
    drop_month(warehouse_url, TRIPS.name, JANUARY)
    assert warehouse.loaded(TRIPS.name, JANUARY) is None
    assert warehouse.loaded(TRIPS.name, FEBRUARY) == LoadedMonth("2024-02", 2)
    assert set(warehouse.loaded_months(TRIPS.name)) == {JANUARY, FEBRUARY}


def test_an_empty_month_of_a_dropped_table_is_not_loaded(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, [], version="a")
    execute(warehouse_url, "DROP TABLE green_trips")
    assert warehouse.loaded(TRIPS.name, JANUARY) is None


def test_months_without_records_are_listed_until_they_are_reloaded(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    for month in (FEBRUARY, JANUARY):
        load(warehouse, tmp_path, trips([1], month), month)
    load(warehouse, tmp_path, [], MARCH)
    execute(warehouse_url, "DROP TABLE loaded_months")
    assert warehouse.loaded(TRIPS.name, JANUARY) is None
    assert warehouse.loaded_months(TRIPS.name) == {}
    assert warehouse.unrecorded_months(TRIPS.name) == [JANUARY, FEBRUARY]

    load(warehouse, tmp_path, trips([1]), version="a")
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("a", 1)
    assert warehouse.loaded(TRIPS.name, FEBRUARY) is None
    assert warehouse.unrecorded_months(TRIPS.name) == [FEBRUARY]


def test_a_table_that_is_not_monthly_has_no_records(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    zones = Table("taxi_zones", "", (TableColumn("zone", Type.INTEGER),), monthly=False)
    load(warehouse, tmp_path, [{"zone": 1}], None, zones, version="a")
    assert warehouse.loaded_months("taxi_zones") == {}
    assert warehouse.loaded("taxi_zones", JANUARY) is None
    assert warehouse.unrecorded_months("taxi_zones") == []
    load(warehouse, tmp_path, trips([1]))
    assert [name for name, *_ in execute(warehouse_url, _RECORDS)] == ["green_trips"]


def test_the_columns_of_loaded_months_are_documented(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    for month in (JANUARY, FEBRUARY):
        load(warehouse, tmp_path, trips([1], month), month)
    descriptions = descriptions_of(warehouse_url, "loaded_months")
    wanted = ["table_name", "source_month", "version", "row_count", "loaded_at"]
    assert list(descriptions)[:5] == wanted
    assert all(descriptions.values())


def test_an_asset_s_table_must_not_be_named_loaded_months(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]), version="a")
    with pytest.raises(Misconfigured, match="another name"):
        load(warehouse, tmp_path, trips([2]), table=replace(TRIPS, name="loaded_months"))
    assert zones_of(warehouse) == [1]
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("a", 1)
