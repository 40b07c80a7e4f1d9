"""Locked and damaged DuckDB files, and DuckDB's errors for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from taxi_assets.errors import Misconfigured, WarehouseLocked
from taxi_assets.services import named_errors
from taxi_assets.warehouse.base import Load
from taxi_assets.warehouse.duckdb_errors import DUCKDB
from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse
from taxi_assets_tests.small_disk import small_disk
from taxi_assets_tests.warehouse.months import FEBRUARY, TRIPS, load, parquet, trip, trips, zones_of

_HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """A warehouse without lock timeout, in a folder whose name contains words of error messages."""
    folder = tmp_path / "lock" / "block" / "different config" / "already attached"
    warehouse = DuckDBWarehouse(folder / "taxi.duckdb", lock_timeout_seconds=0)
    load(warehouse, tmp_path / "files", trips([1]))
    return warehouse


@contextmanager
def another_process(path: Path, what: str) -> Iterator[None]:
    program = [sys.executable, "-c", _HOLDER, str(path), what]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        yield
        holder.communicate()


def test_a_process_waits_for_a_lock_once_until_it_gets_it(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []
    connect = duckdb.connect

    def counted(*arguments: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        attempts.append(arguments)
        return connect(*arguments, **options)

    def tries() -> int:
        attempts.clear()
        with pytest.raises(WarehouseLocked):
            DuckDBWarehouse(warehouse.path, lock_timeout_seconds=0.5).count("green_trips", None)
        return len(attempts)

    monkeypatch.setattr(duckdb, "connect", counted)
    with another_process(warehouse.path, "writes"):
        assert tries() > 1
        assert [tries(), tries()] == [1, 1]  # a retry, and the next month
    assert warehouse.count("green_trips", None) == 1
    with another_process(warehouse.path, "writes"):
        assert tries() > 1


@pytest.mark.parametrize("what", ["reads", "writes"])
def test_a_file_open_in_another_process_is_locked(
    warehouse: DuckDBWarehouse, tmp_path: Path, what: str
) -> None:
    with (
        another_process(warehouse.path, what),
        pytest.raises(WarehouseLocked, match=r"PID \d+.*Close the file"),
    ):
        load(warehouse, tmp_path / "files", trips([2]))
    assert zones_of(warehouse) == [1]


def test_a_file_open_for_writing_in_another_process_cannot_be_read(
    warehouse: DuckDBWarehouse,
) -> None:
    with another_process(warehouse.path, "writes"), pytest.raises(WarehouseLocked):
        warehouse.count("green_trips", None)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_open_in_another_mode_in_this_process_is_locked(
    warehouse: DuckDBWarehouse, tmp_path: Path, read_only: bool
) -> None:
    with (
        duckdb.connect(str(warehouse.path), read_only=read_only),
        pytest.raises(WarehouseLocked, match="different configuration"),
    ):
        load(warehouse, tmp_path / "files", trips([2]))


def test_a_file_that_is_being_closed_is_locked() -> None:
    # From DuckDB 2.0.0, where threads opened and closed one file in a loop.
    message = (
        "Resource In Use Error: Unique file handle conflict: Cannot attach "
        '"taxi" - the database file "/taxi.duckdb" is already attached by database "taxi"'
    )
    with pytest.raises(WarehouseLocked), named_errors(DUCKDB, "Opening duckdb:////taxi.duckdb"):
        raise duckdb.ResourceInUseException(message)


def _text(path: Path) -> None:
    path.write_text("block, lock; different config")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _zeroes(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "remedy"),
    [
        (_text, "load its months again"),
        (_empty, "load its months again"),
        (_zeroes, "load its months again"),
        (_truncated, "TAXI_WAREHOUSE_URL"),
        (_folder, "TAXI_WAREHOUSE_URL"),
    ],
)
def test_a_damaged_file_is_misconfigured_and_not_locked(
    warehouse: DuckDBWarehouse, tmp_path: Path, damage: Callable[[Path], None], remedy: str
) -> None:
    damage(warehouse.path)
    attempts: list[Callable[[], int]] = [
        lambda: warehouse.count("green_trips", None),
        lambda: load(warehouse, tmp_path / "files", trips([2])),
    ]
    for attempt in attempts:
        with pytest.raises(Misconfigured) as raised:
            attempt()
        assert warehouse.url in raised.value.happened
        assert remedy in raised.value.remedy


def test_the_error_for_too_little_memory_names_the_setting(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "taxi.duckdb", memory_limit="2MB", threads=1)
    with pytest.raises(Misconfigured, match="TAXI_MEMORY_LIMIT"):
        load(warehouse, tmp_path / "files", trips(range(200_000)))
    assert warehouse.count("green_trips", None) == 0


def test_a_full_disk_at_commit_is_named_and_the_tables_are_unchanged(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "taxi.duckdb")
    load(warehouse, tmp_path / "files", trips([1]))
    many = Load(TRIPS, parquet(tmp_path / "files", trips(range(200_000), FEBRUARY)))
    with (
        small_disk(1 << 20),
        pytest.raises(Misconfigured, match=r"File too large\)\. Free space") as raised,
    ):
        warehouse.replace([many], FEBRUARY)
    assert raised.value.happened.startswith("Loading green_trips 2024-02 failed (DuckDB: ")
    assert "rollback" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert zones_of(warehouse) == [1]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    warehouse = DuckDBWarehouse(tmp_path / "file" / "taxi.duckdb")
    with pytest.raises(Misconfigured, match=r"Loading green_trips .*\(.*: .*file\)\. Choose"):
        load(warehouse, tmp_path / "files", trips([1]))


def test_damage_in_the_middle_of_a_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "taxi.duckdb"
    warehouse = DuckDBWarehouse(path)
    rows = [trip(number, note=f"{number * 7919}") for number in range(300_000)]
    load(warehouse, tmp_path / "files", rows)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(each ^ 255 for each in content[middle : middle + 100])
    path.write_bytes(content)
    with (
        pytest.raises(Misconfigured, match="load its months again") as raised,
        warehouse.read("green_trips", months=None, columns=None) as reader,
    ):
        for _ in reader:
            pass
    assert raised.value.happened.startswith("Reading green_trips failed (DuckDB: ")
