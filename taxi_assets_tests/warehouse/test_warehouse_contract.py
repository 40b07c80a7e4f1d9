"""The contract of a warehouse: the same tests for DuckDB, BigQuery and PostgreSQL."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.spec import Type
from taxi_assets.errors import AuditFailed, ObjectMissing, PermanentError, TableSchemaConflict
from taxi_assets.warehouse.base import Load, Warehouse
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.warehouse.tables import Table, TableColumn
from taxi_assets_tests.documented import published_rows_query
from taxi_assets_tests.warehouse.catalogs import descriptions_of, execute
from taxi_assets_tests.warehouse.months import (
    FEBRUARY,
    JANUARY,
    MARCH,
    REJECTS,
    TRIPS,
    load,
    parquet,
    rows_of,
    trip,
    trips,
    zones_of,
)

EXTRA = TableColumn("cbd_fee", Type.FLOAT, "Congestion fee in US dollars.")


def test_a_month_is_loaded_into_a_new_table(warehouse: Warehouse, tmp_path: Path) -> None:
    assert load(warehouse, tmp_path, trips([1, 2, 3])) == 3
    assert zones_of(warehouse) == [1, 2, 3]
    assert warehouse.count(TRIPS.name, JANUARY) == 3


def test_the_documented_query_counts_trips_and_rejects(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    for table, month, zones in (
        (TRIPS, JANUARY, [1, 2, 3]),
        (REJECTS, JANUARY, [4]),
        (TRIPS, FEBRUARY, [5]),
        (REJECTS, MARCH, [6, 7]),
    ):
        load(warehouse, tmp_path, trips(zones, month), month, table)
    assert [tuple(map(str, row)) for row in execute(warehouse_url, published_rows_query())] == [
        ("2024-01-01", "4", "1"),
        ("2024-02-01", "1", "0"),
        ("2024-03-01", "2", "2"),
    ]


def test_loading_a_month_twice_changes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    source = parquet(tmp_path, trips([1, 2, 3]))
    for _ in range(2):
        (loaded,) = warehouse.replace([Load(TRIPS, source)], JANUARY)
        assert loaded.rows == 3
    assert zones_of(warehouse) == [1, 2, 3]


def test_a_month_is_replaced_by_its_earlier_content(warehouse: Warehouse, tmp_path: Path) -> None:
    first, second = parquet(tmp_path, trips([1])), parquet(tmp_path, trips([2, 3]))
    for source in (first, second, first):
        warehouse.replace([Load(TRIPS, source)], JANUARY)
    assert zones_of(warehouse) == [1]


def test_months_are_loaded_in_any_order(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, trips([3], MARCH), MARCH)
    load(warehouse, tmp_path, trips([1]), JANUARY)
    load(warehouse, tmp_path, trips([2], FEBRUARY), FEBRUARY)
    counts = [warehouse.count(TRIPS.name, month) for month in (JANUARY, FEBRUARY, MARCH)]
    assert counts == [1, 1, 1]
    assert warehouse.count(TRIPS.name, None) == 3
    assert zones_of(warehouse) == [1, 2, 3]


def test_an_old_month_is_reloaded_with_fewer_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, trips([1, 2, 3]))
    load(warehouse, tmp_path, trips([4], FEBRUARY), FEBRUARY)
    load(warehouse, tmp_path, trips([2]))
    assert zones_of(warehouse, [JANUARY]) == [2]
    assert zones_of(warehouse, [FEBRUARY]) == [4]


def test_an_empty_month_deletes_the_rows_of_that_month_only(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    load(warehouse, tmp_path, trips([2], FEBRUARY), FEBRUARY)
    assert load(warehouse, tmp_path, []) == 0
    assert warehouse.count(TRIPS.name, JANUARY) == 0
    assert zones_of(warehouse) == [2]


def test_an_empty_month_creates_the_table(warehouse: Warehouse, tmp_path: Path) -> None:
    assert load(warehouse, tmp_path, []) == 0
    assert rows_of(warehouse) == []


def test_trips_of_another_time_belong_to_the_month_of_their_file(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    rows = [trip(1, pickup_at=datetime(2002, 12, 31, 23)), trip(2)]  # noqa: DTZ001
    for _ in range(2):
        load(warehouse, tmp_path, rows)
    load(warehouse, tmp_path, trips([3], FEBRUARY), FEBRUARY)
    assert zones_of(warehouse, [JANUARY]) == [1, 2]


@pytest.mark.parametrize("other", [FEBRUARY.first_day, date(2024, 1, 2), None])
def test_a_row_of_another_month_is_rejected(
    warehouse: Warehouse, tmp_path: Path, other: date | None
) -> None:
    load(warehouse, tmp_path, trips([1, 2]))
    with pytest.raises(AuditFailed, match="source_month"):
        load(warehouse, tmp_path, [trip(3), trip(4, source_month=other)])
    assert zones_of(warehouse) == [1, 2]


@pytest.mark.parametrize("other", [FEBRUARY.first_day, None])
def test_a_row_of_another_month_is_rejected_in_a_file_without_statistics(
    warehouse: Warehouse, tmp_path: Path, other: date | None
) -> None:
    load(warehouse, tmp_path, trips([1, 2]))
    source = parquet(tmp_path, [trip(3), trip(4, source_month=other)])
    pq.write_table(pq.read_table(source.path()), source.path(), write_statistics=False)
    with pytest.raises(AuditFailed, match="source_month"):
        warehouse.replace([Load(TRIPS, source)], JANUARY)
    assert zones_of(warehouse) == [1, 2]


def test_two_tables_are_replaced_in_one_call(warehouse: Warehouse, tmp_path: Path) -> None:
    loaded = warehouse.replace(
        [
            Load(TRIPS, parquet(tmp_path, trips([1, 2]))),
            Load(REJECTS, parquet(tmp_path, trips([9]), REJECTS)),
        ],
        JANUARY,
    )
    assert [each.rows for each in loaded] == [2, 1]
    assert warehouse.count("green_trips", JANUARY) == 2
    assert warehouse.count("green_rejects", JANUARY) == 1


def test_a_table_that_is_not_monthly_is_replaced_completely(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    zones = Table("taxi_zones", "", (TableColumn("zone", Type.INTEGER),), monthly=False)
    load(warehouse, tmp_path, [{"zone": 1}, {"zone": 2}], None, zones)
    load(warehouse, tmp_path, [{"zone": 3}], None, zones)
    assert rows_of(warehouse, "taxi_zones") == [{"zone": 3}]
    assert warehouse.count("taxi_zones", None) == 1


def test_a_new_column_is_added(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, trips([1]))
    wider = replace(TRIPS, columns=(*TRIPS.columns, EXTRA))
    load(warehouse, tmp_path, [trip(2, FEBRUARY, cbd_fee=0.75)], FEBRUARY, wider)
    fees = {row["zone"]: row["cbd_fee"] for row in rows_of(warehouse)}
    assert fees == {1: None, 2: 0.75}


def test_a_changed_type_is_rejected_and_the_rows_are_kept(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    columns = tuple(replace(c, type=Type.STRING) if c.name == "fare" else c for c in TRIPS.columns)
    with pytest.raises(TableSchemaConflict, match="fare"):
        load(warehouse, tmp_path, [trip(2, fare="x")], table=replace(TRIPS, columns=columns))
    assert zones_of(warehouse) == [1]


def test_a_removed_column_is_rejected(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, trips([1]))
    with pytest.raises(TableSchemaConflict, match="note"):
        load(warehouse, tmp_path, [], table=replace(TRIPS, columns=_without("note", TRIPS)))
    assert zones_of(warehouse) == [1]


def _missing_column(path: Path) -> None:
    pq.write_table(pq.read_table(path).drop_columns(["fare"]), path)


def _wrong_type(path: Path) -> None:
    table = pq.read_table(path)
    at = table.schema.get_field_index("fare")
    pq.write_table(table.set_column(at, "fare", pa.array(["much"] * table.num_rows)), path)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_missing_column, _wrong_type, _truncated, _overwritten])
def test_a_failed_load_does_not_change_the_month(
    warehouse: Warehouse, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    load(warehouse, tmp_path, trips([1, 2]))
    bad = parquet(tmp_path, trips([3]))
    damage(bad.path())
    with pytest.raises(PermanentError):
        warehouse.replace([Load(TRIPS, bad)], JANUARY)
    assert zones_of(warehouse) == [1, 2]
    assert load(warehouse, tmp_path, trips([4])) == 1, "the next load succeeds"
    assert zones_of(warehouse) == [4]


def test_nothing_is_loaded_if_one_of_two_files_is_damaged(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    bad = parquet(tmp_path, trips([9]), REJECTS)
    _truncated(bad.path())
    with pytest.raises(PermanentError):
        warehouse.replace([Load(TRIPS, parquet(tmp_path, trips([2]))), Load(REJECTS, bad)], JANUARY)
    assert zones_of(warehouse) == [1]


def test_the_requested_months_are_read(warehouse: Warehouse, tmp_path: Path) -> None:
    for month, zone in ((JANUARY, 1), (FEBRUARY, 2), (MARCH, 3)):
        load(warehouse, tmp_path, trips([zone], month), month)
    assert zones_of(warehouse, [JANUARY, MARCH]) == [1, 3]
    assert zones_of(warehouse, []) == []
    assert zones_of(warehouse, [MARCH.plus(1)]) == []


def test_the_requested_columns_are_read_in_that_order(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, trips([1]))
    with warehouse.read(TRIPS.name, months=None, columns=["zone", "fare"]) as reader:
        assert reader.read_all().to_pydict() == {"zone": [1], "fare": [12.5]}
    with pytest.raises(ObjectMissing, match="tip"):
        rows_of(warehouse, columns=["zone", "tip"])


def test_a_missing_table_counts_0_and_cannot_be_read(warehouse: Warehouse) -> None:
    assert warehouse.count("nothing", None) == 0
    assert warehouse.count("nothing", JANUARY) == 0
    with pytest.raises(ObjectMissing, match="nothing"):
        rows_of(warehouse, "nothing")


def test_values_are_read_back_unchanged(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [
        trip(2**63 - 1, fare=1.7976931348623157e308, note="", shared=True),
        trip(-(2**63), fare=5e-324, note='a "quoted", text\nof two lines', shared=False),
        trip(3, fare=-0.1, note="Straße 上海 🚕 'x' \\N \\. NULL", pickup_at=None),
        trip(4, fare=0.1 + 0.2, pickup_at=datetime(1, 1, 1)),  # noqa: DTZ001 - naive by design
        trip(5, fare=math.inf, pickup_at=datetime(9999, 12, 31, 23, 59, 59, 999999)),  # noqa: DTZ001
        trip(6, fare=None, note=" spaces \t"),
    ]
    load(warehouse, tmp_path, rows)
    assert sorted(rows_of(warehouse), key=lambda row: row["zone"]) == sorted(
        rows, key=lambda row: row["zone"]
    )


def test_values_have_the_types_of_the_table(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, [trip(1, fare=math.nan)])
    with warehouse.read(TRIPS.name, months=None, columns=None) as reader:
        table = reader.read_all()
    assert table.schema.remove_metadata() == TRIPS.arrow_schema
    assert math.isnan(table["fare"][0].as_py())


def test_a_reader_may_stop_early(warehouse: Warehouse, tmp_path: Path) -> None:
    # More than any engine sends in one batch.
    rows = [trip(zone, note=str(zone) * 100_000) for zone in range(60)]
    load(warehouse, tmp_path, rows)
    with warehouse.read(TRIPS.name, months=None, columns=None) as reader:
        assert reader.read_next_batch().num_rows > 0
    load(warehouse, tmp_path, trips([1]))
    assert zones_of(warehouse) == [1]


def test_an_exception_during_a_read_is_not_translated(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, trips([1]))
    with (
        pytest.raises(ZeroDivisionError),
        warehouse.read(TRIPS.name, months=None, columns=None),
    ):
        _ = 1 / 0
    assert zones_of(warehouse) == [1]


def test_the_columns_of_a_table_are_documented(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    wider = replace(TRIPS, columns=(*TRIPS.columns, EXTRA))
    for table in (TRIPS, wider):  # also an added column
        load(warehouse, tmp_path, [], table=table)
        wanted = {column.name: column.description for column in table.columns}
        assert descriptions_of(warehouse_url, TRIPS.name) == wanted


def test_a_reader_sees_the_old_or_the_new_rows(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    versions = [trips([1] * 200), trips([2] * 200)]
    load(warehouse, tmp_path, versions[0])
    seen: list[tuple[int, ...]] = []
    done = threading.Event()

    def read() -> None:
        reader = open_warehouse(warehouse_url)
        while not done.is_set():
            seen.append(tuple(zones_of(reader, [JANUARY])))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for turn in range(1, 6):
            load(warehouse, tmp_path, versions[turn % 2])
    finally:
        done.set()
        thread.join()
    assert seen
    assert set(seen) <= {(1,) * 200, (2,) * 200}


def test_tables_are_listed_without_their_partitions(warehouse: Warehouse, tmp_path: Path) -> None:
    assert warehouse.tables("") == []
    load(warehouse, tmp_path, trips([1]))
    load(warehouse, tmp_path, [], FEBRUARY, REJECTS)
    assert warehouse.tables("green_") == ["green_rejects", "green_trips"]
    assert warehouse.tables("") == ["green_rejects", "green_trips", "loaded_months"]
    assert warehouse.tables("Green") == []


def test_a_dropped_table_leaves_no_rows_and_no_records(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    for table in (TRIPS, REJECTS):
        load(warehouse, tmp_path, trips([1, 2]), table=table, version="1")
    warehouse.drop(TRIPS.name)
    assert warehouse.tables("green_") == ["green_rejects"]
    assert warehouse.count(TRIPS.name, None) == 0
    rows = execute(warehouse_url, "SELECT DISTINCT table_name FROM loaded_months")
    assert [tuple(row) for row in rows] == [("green_rejects",)]
    assert warehouse.count(REJECTS.name, JANUARY) == 2
    warehouse.drop(TRIPS.name)  # a second time there is nothing to do


def _without(name: str, table: Table) -> tuple[TableColumn, ...]:
    return tuple(column for column in table.columns if column.name != name)
