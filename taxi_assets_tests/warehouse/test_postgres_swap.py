"""PostgreSQL only: partitions, the swap with concurrent readers and runs, and its errors."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy

from taxi_assets.datasets.spec import Type
from taxi_assets.errors import AuditFailed, Misconfigured, StoreUnavailable, UncastableValue
from taxi_assets.warehouse import postgres_connection
from taxi_assets.warehouse.base import Load, LoadedMonth
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.warehouse.postgres import PostgresWarehouse
from taxi_assets.warehouse.postgres_connection import Limits
from taxi_assets.warehouse.tables import Table, TableColumn
from taxi_assets_tests.warehouse.months import (
    FEBRUARY,
    JANUARY,
    REJECTS,
    TRIPS,
    load,
    parquet,
    trips,
    zones_of,
)


@pytest.fixture
def warehouse(postgres_url: str) -> PostgresWarehouse:
    return PostgresWarehouse(postgres_url)


def _query(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_each_month_is_one_partition_and_no_other_table_remains(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    for month in (FEBRUARY, JANUARY, JANUARY):
        load(warehouse, tmp_path, trips([1], month), month)
    found = _query(
        postgres_url,
        "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class "
        "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') "
        "ORDER BY relname",
    )
    assert found == [
        ("green_trips", None),
        ("green_trips_202401", "FOR VALUES IN ('2024-01-01')"),
        ("green_trips_202402", "FOR VALUES IN ('2024-02-01')"),
        ("loaded_months", None),
    ]
    assert (
        _query(postgres_url, "SELECT conname FROM pg_constraint WHERE conname = 'one_month'") == []
    )


def test_a_query_for_a_month_scans_its_partition_only(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    for month in (JANUARY, FEBRUARY):
        load(warehouse, tmp_path, trips([1], month), month)
    plan = _query(
        postgres_url, "EXPLAIN SELECT * FROM green_trips WHERE source_month = '2024-02-01'"
    )
    assert "green_trips_202402" in str(plan)
    assert "green_trips_202401" not in str(plan)


def test_attaching_scans_no_rows_and_builds_no_index(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(warehouse, tmp_path, trips([1]))
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE INDEX ON green_trips (zone) INCLUDE (fare) WHERE zone > 0")
        connection.execute("ALTER TABLE green_trips ADD UNIQUE (source_month, zone)")
        connection.execute("ALTER TABLE green_trips ADD CONSTRAINT positive CHECK (zone > 0)")
        connection.execute("ALTER TABLE green_trips ALTER zone SET NOT NULL")
    notices: list[str] = []

    def connect(parameters: Any) -> postgres_connection.Connection:
        connection = postgres_connection.connect(parameters)
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        connection.execute("SET client_min_messages = debug1")
        connection.commit()
        return connection

    monkeypatch.setattr("taxi_assets.warehouse.postgres.connect", connect)
    load(warehouse, tmp_path, trips([2, 3]))
    work = [notice for notice in notices if re.match("building index|verifying table", notice)]
    assert (
        sum(notice.startswith("building index") and "incoming_" in notice for notice in work) == 3
    )
    # While it is attached, the table has the partition's name.
    assert not any(re.search('table "green_trips', notice) for notice in work), work
    assert any("is implied by existing constraints" in notice for notice in notices)


def test_another_table_with_a_partition_s_name_is_not_dropped(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE green_trips_202401 AS SELECT 'precious' AS thing")
    with pytest.raises(AuditFailed, match="green_trips_202401"):
        load(warehouse, tmp_path, trips([1]))
    assert _query(postgres_url, "SELECT thing FROM green_trips_202401") == [("precious",)]


def test_no_table_is_changed_if_the_second_cannot_be_swapped(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE green_rejects_202401 (thing text)")
    loads = [
        Load(TRIPS, parquet(tmp_path, trips([2]))),
        Load(REJECTS, parquet(tmp_path, trips([9]), REJECTS)),
    ]
    with pytest.raises(AuditFailed):
        warehouse.replace(loads, JANUARY)
    assert zones_of(warehouse) == [1]


@contextmanager
def _holding(url: str, query: str) -> Iterator[int]:
    """Run ``query`` in a transaction that stays open during the block, and give its process."""
    with psycopg.connect(url) as connection:
        connection.execute(query.encode())
        yield connection.info.backend_pid


def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of tenths of a second, for what never comes."""
    changing = Limits(lock="200ms", statement="50s")
    monkeypatch.setattr("taxi_assets.warehouse.postgres_load.CHANGING", changing)
    module = "taxi_assets.warehouse.postgres_tries"
    monkeypatch.setattr(f"{module}._PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(f"{module}._TRY_SECONDS", 0.5)


def test_a_load_that_finds_no_moment_for_the_swap_names_who_was_there(
    warehouse: PostgresWarehouse,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(warehouse, tmp_path, trips([1]))
    _hurry(monkeypatch)
    with (
        _holding(f"{postgres_url}&application_name=notebook", "SELECT * FROM green_trips") as pid,
        pytest.raises(StoreUnavailable) as caught,
    ):
        load(warehouse, tmp_path, trips([2]))
    session = rf"process {pid} \(user postgres, notebook, idle in transaction, since [\d-]+ [\d:]+ "
    assert re.search(session, caught.value.happened)
    assert "SELECT * FROM" not in str(caught.value)
    assert zones_of(warehouse) == [1]


def _until(url: str, condition: str) -> None:
    while not _query(url, condition):
        pass


def _waiting(table: str) -> str:
    return f"SELECT FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"


def test_readers_get_through_while_a_load_waits_for_an_idle_session(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    with ThreadPoolExecutor() as pool:
        with _holding(postgres_url, "SELECT FROM green_trips"):
            loading = pool.submit(load, warehouse, tmp_path, trips([2]))
            _until(postgres_url, _waiting("green_trips"))
            assert zones_of(warehouse) == [1]
            assert not loading.done()
        loading.result()
    assert zones_of(warehouse) == [2]


def test_a_reader_of_both_tables_in_any_order_is_no_victim_of_a_load(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    both = [
        Load(TRIPS, parquet(tmp_path, trips([1]))),
        Load(REJECTS, parquet(tmp_path, trips([9]), REJECTS)),
    ]
    warehouse.replace(both, JANUARY)
    # The one of a deadlock that its server ends is the one that looks for it first.
    patient = PostgresWarehouse(f"{postgres_url}%20-cdeadlock_timeout%3D1min")
    for first, second in (("green_rejects", "green_trips"), ("green_trips", "green_rejects")):
        with ThreadPoolExecutor() as pool:
            with psycopg.connect(f"{postgres_url}%20-cdeadlock_timeout%3D900ms") as reader:
                reader.execute(f"SELECT FROM {first}".encode())
                loading = pool.submit(patient.replace, both, JANUARY)
                _until(postgres_url, _waiting(first))
                reader.execute(f"SELECT FROM {second}".encode())
            loading.result()


def test_a_swap_waits_for_a_vacuum_before_it_makes_readers_wait(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    vacuum = "LOCK TABLE ONLY green_trips_202401 IN SHARE UPDATE EXCLUSIVE MODE"
    held = (
        "SELECT FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' "
        "AND relation = 'green_trips'::regclass"
    )
    with ThreadPoolExecutor() as pool:
        with _holding(postgres_url, vacuum):
            loading = pool.submit(load, warehouse, tmp_path, trips([2]))
            _until(postgres_url, _waiting("green_trips_202401"))
            assert _query(postgres_url, held) == []
        loading.result()


def test_two_loads_of_one_month_run_one_after_the_other(
    warehouse: PostgresWarehouse, tmp_path: Path
) -> None:
    _load_at_once(warehouse, tmp_path, [JANUARY, JANUARY])
    assert zones_of(warehouse) in ([0] * 50, [1] * 50)


def test_two_concurrent_months_do_not_deadlock(
    warehouse: PostgresWarehouse, tmp_path: Path
) -> None:
    for month in (JANUARY, FEBRUARY):
        load(warehouse, tmp_path, trips([9], month), month)
    _load_at_once(warehouse, tmp_path, [JANUARY, FEBRUARY])
    assert zones_of(warehouse, [JANUARY]) == [0] * 50
    assert zones_of(warehouse, [FEBRUARY]) == [1] * 50
    wanted = {JANUARY: LoadedMonth(None, 50), FEBRUARY: LoadedMonth(None, 50)}
    assert warehouse.loaded_months("green_trips") == wanted


def test_two_concurrent_months_in_an_empty_schema_create_the_tables_once(
    warehouse: PostgresWarehouse, tmp_path: Path
) -> None:
    _load_at_once(warehouse, tmp_path, [JANUARY, FEBRUARY])
    assert set(warehouse.loaded_months("green_rejects")) == {JANUARY, FEBRUARY}


def test_a_month_does_not_wait_for_another_month_s_record(
    warehouse: PostgresWarehouse,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for month in (JANUARY, FEBRUARY):
        load(warehouse, tmp_path, trips([1], month), month, version="a")
    _hurry(monkeypatch)
    change = "UPDATE loaded_months SET version = 'b' WHERE source_month = '2024-02-01'"
    with _holding(postgres_url, change):
        load(warehouse, tmp_path, trips([2, 3]), version="c")
        assert warehouse.loaded("green_trips", JANUARY) == LoadedMonth("c", 2)


def test_a_detached_partition_does_not_count_as_loaded(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]), version="a")
    with psycopg.connect(postgres_url) as connection:
        connection.execute("ALTER TABLE green_trips DETACH PARTITION green_trips_202401")
    assert warehouse.loaded("green_trips", JANUARY) is None
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "ALTER TABLE green_trips ATTACH PARTITION green_trips_202401 "
            "FOR VALUES IN ('2024-01-01')"
        )
    assert warehouse.loaded("green_trips", JANUARY) == LoadedMonth("a", 1)


def test_two_concurrent_loads_of_a_table_do_not_both_add_their_rows(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    zones = Table("taxi_zones", "", (TableColumn("zone", Type.INTEGER),), monthly=False)
    load(warehouse, tmp_path, [{"zone": 0}], None, zones)
    sources = [parquet(tmp_path, [{"zone": zone}] * 20, zones) for zone in (1, 2)]
    waiting = _waiting("taxi_zones")
    with ThreadPoolExecutor() as pool:
        with _holding(postgres_url, "LOCK TABLE taxi_zones IN ROW EXCLUSIVE MODE"):
            loads = [pool.submit(warehouse.replace, [Load(zones, each)], None) for each in sources]
            _until(postgres_url, f"{waiting} GROUP BY relation HAVING count(*) = 2")
        for each in loads:
            each.result()
    assert warehouse.count("taxi_zones", None) == 20


def _load_at_once(warehouse: PostgresWarehouse, folder: Path, months: list[Any]) -> None:
    start = threading.Barrier(len(months))

    def run(number: int) -> None:
        source = parquet(folder / str(number), trips([number] * 50, months[number]))
        again = parquet(folder / str(number), trips([number] * 50, months[number]), REJECTS)
        start.wait()
        for _ in range(3):
            warehouse.replace([Load(REJECTS, again), Load(TRIPS, source)], months[number])

    with ThreadPoolExecutor() as pool:
        list(pool.map(run, range(len(months))))


def test_values_are_read_back_whatever_the_role_s_settings(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    unusual = f"{postgres_url}%20-cdatestyle%3DGerman%20-cextra_float_digits%3D-15"
    with open_warehouse(unusual).read("green_trips", months=None, columns=None) as reader:
        (row,) = reader.read_all().to_pylist()
    assert (row["source_month"], row["fare"]) == (date(2024, 1, 1), 12.5)


@pytest.mark.parametrize("wrong", [{"username": "nobody"}, {"database": "nowhere"}])
def test_the_error_for_a_rejected_login_does_not_contain_the_password(
    postgres_emulator: Any, wrong: dict[str, Any]
) -> None:
    url = sqlalchemy.make_url(postgres_emulator.url).set(password="hunter2", **wrong)
    warehouse = PostgresWarehouse(url.render_as_string(hide_password=False))
    with pytest.raises(Misconfigured, match="TAXI_WAREHOUSE_URL") as caught:
        warehouse.count("green_trips", None)
    assert "hunter2" not in str(caught.value) + warehouse.url


def test_the_error_for_a_missing_privilege_names_it(postgres_url: str, tmp_path: Path) -> None:
    ((schema,),) = _query(postgres_url, "SELECT current_schema()")
    role = f"reader_{schema}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}".encode())
        try:
            url = sqlalchemy.make_url(postgres_url).set(username=role, password="pw")
            warehouse = PostgresWarehouse(url.render_as_string(hide_password=False))
            with pytest.raises(Misconfigured, match="CREATE on the schema"):
                load(warehouse, tmp_path, trips([1]))
        finally:
            connection.execute(f"DROP OWNED BY {role}".encode())
            connection.execute(f"DROP ROLE {role}".encode())


def test_the_error_for_a_missing_schema_names_the_option(postgres_emulator: Any) -> None:
    warehouse = PostgresWarehouse(f"{postgres_emulator.url}?options=-csearch_path%3Dnowhere")
    with pytest.raises(Misconfigured, match="search_path"):
        warehouse.count("green_trips", None)


def test_words_of_an_error_message_in_a_path_are_ignored(tmp_path: Path) -> None:
    socket = f"{tmp_path}/does%20not%20exist"
    with pytest.raises(StoreUnavailable, match="does not exist"):
        PostgresWarehouse(f"postgresql://u@/taxi?host={socket}").count("green_trips", None)


def test_a_refused_connection_is_transient(unused_port: int) -> None:
    warehouse = PostgresWarehouse(f"postgresql://u:hunter2@127.0.0.1:{unused_port}/taxi")
    with pytest.raises(StoreUnavailable) as caught:
        warehouse.count("green_trips", None)
    assert "hunter2" not in str(caught.value)


def test_a_value_that_no_frame_can_hold_is_named(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE green_trips SET pickup_at = 'infinity'")
    with (
        pytest.raises(UncastableValue, match=r"^A value in PostgreSQL does not fit .*infinity"),
        warehouse.read("green_trips", months=None, columns=None) as reader,
    ):
        reader.read_all()
