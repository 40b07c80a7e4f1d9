"""``rebuild``: damaged objects are named and repaired, the warehouse is loaded from the lake."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from taxi_assets.damage import compared
from taxi_assets.datasets import Month
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.local import LocalStore
from taxi_assets.lake.store import NewObject
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.lake.lakes import fresh_lake
from taxi_assets_tests.test_commands import command, records

WHOLE = hashlib.sha256(b"whole").hexdigest()
MONTHS = ("2024-01", "2024-02")
RAW = "raw/green/green_tripdata_2024-01.parquet"
STAGED = "staging/green/2024-01/trips.parquet"
PUBLISHED = "trips/green/year=2024/month=01/trips.parquet"


class Home:
    """A home with two months of green, and TLC's site."""

    def __init__(self, folder: Path, tlc: Simulator, **env: str) -> None:
        self.folder, self.tlc, self.env = folder, tlc, env
        self.lake, self.file = folder / ".taxi/lake", folder / ".taxi/warehouse.duckdb"

    def __call__(self, *arguments: str, tlc_url: str | None = None) -> tuple[int, str]:
        env = {**self.env, "TAXI_TLC_URL": tlc_url or self.tlc.url}
        done = command(self.folder, *arguments, **env)
        return done.returncode, done.stdout + done.stderr

    def rows(self) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(
                "SELECT source_month, count(*), sum(total_amount) FROM green_trips GROUP BY 1 "
                "UNION ALL SELECT source_month, count(*), 0 FROM green_rejects GROUP BY 1 "
                "UNION ALL SELECT NULL, count(*), 0 FROM taxi_zones ORDER BY 1, 2"
            ).fetchall()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("rebuild")
    with Simulator(folder / "site") as tlc:
        tlc.publish_zones()
        for month in MONTHS:
            tlc.publish("green", Month.parse(month), rows=2_000)
        home = Home(folder, tlc)
        code, output = home("run", "--datasets", "green", "--months", ":".join(MONTHS))
        assert code == 0, output
        yield home


@pytest.fixture
def home(loaded: Home, tmp_path: Path) -> Home:
    """A copy of it, whose lake has read its files: they are the same objects."""
    shutil.copytree(loaded.folder / ".taxi", tmp_path / ".taxi")
    store = LocalStore(tmp_path / ".taxi/lake")
    assert all(store.find(key) for key in store.keys(""))
    return Home(tmp_path, loaded.tlc)


def rot(path: Path) -> None:
    """Change a byte in the middle without changing size or time, as a failing disk does."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_whole_lake_and_a_loaded_warehouse_are_left_alone(home: Home) -> None:
    before = home.rows()
    with records(home.folder) as instance:
        runs = instance.get_runs_count()
    code, output = home("rebuild")
    assert code == 0, output
    assert "0 runs to load what the warehouse lacks" in output
    assert "damaged " not in output
    assert home.rows() == before
    with records(home.folder) as instance:
        assert instance.get_runs_count() == runs


@pytest.mark.parametrize("key", [RAW, STAGED, PUBLISHED])
def test_a_damaged_object_is_named_and_repaired(home: Home, key: str) -> None:
    whole = {each: (home.lake / each).read_bytes() for each in (RAW, STAGED, PUBLISHED)}
    rot(home.lake / key)
    code, output = home("rebuild", "lake")
    assert code == 0, output
    assert f"{key}: its content is not what was stored" in output
    assert {each: (home.lake / each).read_bytes() for each in whole} == whole


def test_a_damaged_raw_file_that_was_reissued_since_is_lost_and_the_month_kept(
    home: Home, tmp_path: Path
) -> None:
    published = (home.lake / PUBLISHED).read_bytes()
    rot(home.lake / RAW)
    with Simulator(tmp_path / "site") as other:
        other.publish("green", Month(2024, 1), rows=2_500)
        code, output = home("rebuild", tlc_url=other.url)
        assert code == 1
        assert "the source no longer publishes this version" in output
        other.withdraw("green", Month(2024, 1))
        code, output = home("rebuild", tlc_url=other.url)
    assert code == 1
    assert "the source no longer publishes this version" in output
    assert (home.lake / PUBLISHED).read_bytes() == published


def test_a_file_that_was_damaged_and_then_copied_is_replaced(home: Home) -> None:
    whole = (home.lake / PUBLISHED).read_bytes()
    rot(home.lake / PUBLISHED)
    shutil.copy2(home.lake / PUBLISHED, home.folder / "copy")
    (home.folder / "copy").replace(home.lake / PUBLISHED)
    code, output = home("rebuild", "lake")
    assert code == 0, output
    assert f"{PUBLISHED}: another program wrote it, or it was damaged and then copied" in output
    assert (home.lake / PUBLISHED).read_bytes() == whole


def test_a_lost_warehouse_is_loaded_from_the_lake_alone(home: Home) -> None:
    before = home.rows()
    home.file.unlink()
    code, output = home("rebuild", "warehouse", tlc_url="http://127.0.0.1:1")
    assert code == 0, output
    assert "3 runs to load what the warehouse lacks" in output
    assert home.rows() == before
    with records(home.folder) as instance:
        newest = instance.get_run_records(limit=3)
        assert {each.dagster_run.status.value for each in newest} == {"SUCCESS"}


def test_only_the_months_that_the_warehouse_lacks_are_loaded(home: Home) -> None:
    before = home.rows()
    with duckdb.connect(str(home.file)) as connection:
        connection.execute("DELETE FROM green_trips WHERE source_month = '2024-02-01'")
    code, output = home("rebuild")
    assert code == 0, output
    assert "1 run to load" in output
    assert "green 2024-02" in output
    assert home.rows() == before


def test_a_damaged_object_of_a_bucket_is_named(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(fresh_lake("gcs", tmp_path, request, monkeypatch))
    for key, sha256 in (("assets/whole.txt", WHOLE), ("assets/other.txt", "0" * 64)):
        path = tmp_path / "new"
        path.write_text("whole")
        store.put(NewObject(path, sha256, None), key, replacing=None)
    found = list(compared(store, store.keys(""), tmp_path / "fetched"))
    assert [(each.key, reason) for each, reason in found] == [
        ("assets/other.txt", "its content is not what was stored")
    ]
    assert list((tmp_path / "fetched").iterdir()) == []
