"""Every real month beside the checkout through the real assets, counted independently."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import FOUR, Platform, failures, month_assets
from taxi_assets_tests.documented import published_rows_query, published_rows_shown

# All but raw_trips, whose file TLC reports as unchanged.
REDO = {f"green/{name}": {"redo": True} for name in FOUR[1:]}
TABLES = ("green_trips", "green_rejects")


@dataclass(frozen=True)
class Twice:
    """The platform after materializing each month twice, and the tables after the first time."""

    platform: Platform
    tlc: Simulator
    files: dict[str, Path]
    after_once: Path
    requests_at_first: int


@pytest.fixture(scope="module")
def twice(real_tlc: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    folder = tmp_path_factory.mktemp("real")
    files = {
        path.stem.removeprefix("green_tripdata_"): path
        for path in sorted((real_tlc / "trip-data").glob("green_tripdata_*.parquet"))
    }
    with Simulator(real_tlc) as tlc:
        platform = Platform(folder / "home", tlc.url)
        for month in files:
            platform.month("green", month)
        after_once = folder / "after-once.duckdb"
        after_once.write_bytes(platform.warehouse.read_bytes())
        requests = len(tlc.requests)
        for month in files:
            result = platform.run(month_assets("green"), month, config=REDO)
            assert result.success, failures(result)
        yield Twice(platform, tlc, files, after_once, requests)


def test_every_real_file_was_materialized(twice: Twice) -> None:
    for name in FOUR:
        assert twice.platform.materialized(f"green/{name}") == set(twice.files)


def test_raw_objects_are_the_published_bytes(twice: Twice) -> None:
    for month, path in twice.files.items():
        stored = twice.platform.store.root / f"raw/green/green_tripdata_{month}.parquet"
        published = hashlib.sha256(path.read_bytes()).hexdigest()
        assert hashlib.sha256(stored.read_bytes()).hexdigest() == published
        assert twice.platform.metadata("green/raw_trips", month)["sha256"] == published


def test_counts_are_those_of_the_reference(twice: Twice, real_tlc: Path) -> None:
    with (real_tlc / "reference" / "tlc_file_facts.csv").open(newline="") as file:
        facts = {
            row["month"]: (int(row["rows"]), int(row["bytes"]))
            for row in csv.DictReader(file)
            if row["dataset"] == "green"
        }
    known = facts.keys() & twice.files.keys()
    assert len(known) >= 10
    for month in known:
        raw = twice.platform.metadata("green/raw_trips", month)
        assert (raw["dagster/partition_row_count"], raw["bytes"]) == facts[month]


def test_no_row_is_lost(twice: Twice) -> None:
    per_month: dict[str, dict[str, int]] = {
        table: dict(
            twice.platform.query(
                f"SELECT strftime(source_month, '%Y-%m'), count(*) FROM {table} GROUP BY 1"
            )
        )
        for table in TABLES
    }
    assert set(per_month["green_trips"]) == set(twice.files)
    for month, path in twice.files.items():
        year, number = month.split("-")
        folders = [
            twice.platform.store.root / f"{part}/green/year={year}/month={number}"
            for part in ("trips", "rejects")
        ]
        in_lake = [
            sum(pq.read_metadata(each).num_rows for each in folder.glob("*.parquet"))
            for folder in folders
        ]
        in_warehouse = [per_month[table].get(month, 0) for table in TABLES]
        assert in_lake == in_warehouse
        assert sum(in_lake) == pq.read_metadata(path).num_rows


def test_the_documented_query_counts_what_tlc_published(twice: Twice) -> None:
    found = {
        f"{day:%Y-%m}": (published, rejects)
        for day, published, rejects in twice.platform.query(published_rows_query())
    }
    in_files = {month: pq.read_metadata(path).num_rows for month, path in twice.files.items()}
    assert {month: published for month, (published, _) in found.items()} == in_files
    rejects: dict[str, int] = dict(
        twice.platform.query(
            "SELECT strftime(source_month, '%Y-%m'), count(*) FROM green_rejects GROUP BY 1"
        )
    )
    assert {month: count for month, (_, count) in found.items() if count} == rejects
    shown = published_rows_shown()
    assert len(shown) == 3
    assert shown == [(month, *found[month]) for month, _, _ in shown]


def test_the_second_time_gives_the_same_rows(twice: Twice) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{twice.after_once}' AS once (READ_ONLY)")
        connection.execute(f"ATTACH '{twice.platform.warehouse}' AS again (READ_ONLY)")
        for table in TABLES:
            once, again, missing = connection.execute(
                f"""SELECT
                    (SELECT count(*) FROM once.{table}),
                    (SELECT count(*) FROM again.{table}),
                    (SELECT count(*) FROM (FROM once.{table} EXCEPT ALL FROM again.{table}))"""
            ).fetchall()[0]
            # Equal counts and no missing row, duplicates included, imply equal tables.
            assert (again, missing) == (once, 0)
            assert once > 0


def test_the_second_time_downloads_nothing(twice: Twice) -> None:
    first = twice.tlc.requests[: twice.requests_at_first]
    second = twice.tlc.requests[twice.requests_at_first :]
    paths = {f"/trip-data/{path.name}" for path in twice.files.values()}
    assert {request.path for request in first if request.status == 200} == paths
    assert {request.path for request in second if request.status == 304} == paths
    assert {request.status for request in second} == {304}
    for month in twice.files:
        summary = twice.platform.metadata("green/raw_trips", month)["download"]
        assert summary == "unchanged at TLC, not downloaded again"


def test_each_month_has_its_metadata(twice: Twice) -> None:
    raw = twice.platform.metadata("green/raw_trips", "2024-01")
    assert {"dagster/uri", "bytes", "sha256", "etag", "last_modified"} <= raw.keys()
    clean = twice.platform.metadata("green/clean_trips", "2024-01")
    assert clean["published_rows"] == 56_551
    assert clean["dagster/partition_row_count"] + clean["rejected_rows"] == 56_551
    columns = [column.name for column in clean["dagster/column_schema"].columns]
    loaded = twice.platform.metadata("green/warehouse_trips", "2024-01")
    assert loaded["dagster/table_name"] == "green_trips"
    described = twice.platform.query("SELECT column_name FROM (DESCRIBE green_trips)")
    assert columns == [name for (name,) in described]
    for name in FOUR:
        metadata = twice.platform.metadata(f"green/{name}", "2024-01")
        assert metadata["dagster/partition_row_count"] > 0


def test_the_runs_leave_no_scratch(twice: Twice) -> None:
    assert twice.platform.scratch_files() == []
