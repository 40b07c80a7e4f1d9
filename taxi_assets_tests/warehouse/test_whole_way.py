"""Months from TLC to the warehouse with each other kind of lake and warehouse, by the command."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets_tests.lake.lakes import fresh_lake
from taxi_assets_tests.test_commands import command, table

JANUARY = Month(2024, 1)

# Dies like a killed worker: no handler runs, no lock is released.
KILLED_BEFORE_THE_WAREHOUSE = """
import os, signal, sys
from taxi_assets.warehouse.io_manager import WarehouseIOManager
store = WarehouseIOManager.store
def killed(manager, path, *rest):
    if path[-1] == "warehouse_trips":
        os.kill(os.getpid(), signal.SIGKILL)
    return store(manager, path, *rest)
WarehouseIOManager.store = killed
from taxi_assets.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(params=["gcs-bigquery", "s3-postgres", "azure-duckdb"])
def urls(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """The URLs of an empty lake and an empty warehouse."""
    lake, warehouse = request.param.split("-")
    lake_url = fresh_lake(lake, tmp_path / "lake", request, monkeypatch)
    if warehouse == "duckdb":
        return lake_url, f"duckdb:///{tmp_path / 'taxi.duckdb'}"
    return lake_url, request.getfixturevalue(f"{warehouse}_url")


@pytest.fixture
def tlc(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path / "site") as simulator:
        simulator.publish_zones()
        yield simulator


def run(
    home: Path, tlc: Simulator, urls: tuple[str, str], months: str
) -> subprocess.CompletedProcess[str]:
    lake, warehouse = urls
    settings = {"TAXI_TLC_URL": tlc.url, "TAXI_LAKE_URL": lake, "TAXI_WAREHOUSE_URL": warehouse}
    return command(home, "run", "--datasets", "green", "--months", months, **settings)


@pytest.mark.long
def test_a_month_is_loaded_reissued_with_fewer_rows_and_survives_a_killed_worker(
    tmp_path: Path, tlc: Simulator, urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tlc.publish("green", JANUARY, rows=3_000)
    tlc.publish("green", JANUARY.plus(1), rows=2_000)
    done = run(tmp_path, tlc, urls, "2024-01:2024-02")
    assert done.returncode == 0, done.stderr
    before = table(done.stdout)
    assert before["green", "2024-01"][0] == pq.read_metadata(first).num_rows
    warehouse = open_warehouse(urls[1])
    held = warehouse.count("green_trips", JANUARY)
    assert held == before["green", "2024-01"][1]

    # TLC reissues January; the worker dies between lake and warehouse.
    reissued = tlc.publish("green", JANUARY, rows=2_000, seed=7)
    assert run_killed(tmp_path, tlc, urls, monkeypatch).returncode == -signal.SIGKILL
    assert warehouse.count("green_trips", JANUARY) == held

    again = run(tmp_path, tlc, urls, "2024-01")
    assert again.returncode == 0, again.stderr
    assert "unchanged at TLC" in again.stdout
    published, clean, rejected, lake, loaded = table(again.stdout)["green", "2024-01"]
    assert published == pq.read_metadata(reissued).num_rows == clean + rejected
    assert lake == loaded == clean != held
    assert warehouse.count("green_trips", JANUARY) == clean
    assert warehouse.count("green_rejects", JANUARY) == rejected
    assert warehouse.count("green_trips", None) == clean + before["green", "2024-02"][1]
    assert warehouse.count("taxi_zones", None) == 265


def run_killed(
    home: Path, tlc: Simulator, urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> subprocess.CompletedProcess[bytes]:
    monkeypatch.setenv("TAXI_HOME", str(home / ".taxi"))
    monkeypatch.setenv("TAXI_TLC_URL", tlc.url)
    monkeypatch.setenv("TAXI_LAKE_URL", urls[0])
    monkeypatch.setenv("TAXI_WAREHOUSE_URL", urls[1])
    arguments = ["run", "--datasets", "green", "--months", "2024-01"]
    return subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_THE_WAREHOUSE, *arguments],
        capture_output=True,
        check=False,
    )
