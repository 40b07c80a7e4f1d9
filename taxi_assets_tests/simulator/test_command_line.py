from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from taxi_assets.simulator.server import Simulator
from taxi_assets.simulator.zones import lookup_csv

COMMAND = [sys.executable, "-m", "taxi_assets.simulator"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def test_help_names_the_control_paths() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "/_faults" in done.stdout
    assert "/_requests" in done.stdout


def test_it_generates_a_range_of_months_without_serving(tmp_path: Path) -> None:
    done = run(
        "--folder", tmp_path, "--months", "2024-01:2024-02", "--datasets", "green", "yellow",
        "--rows", "50", "--seed", "3", "--no-serve",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    files = sorted((tmp_path / "trip-data").iterdir())
    assert [path.name for path in files] == [
        "green_tripdata_2024-01.parquet",
        "green_tripdata_2024-02.parquet",
        "yellow_tripdata_2024-01.parquet",
        "yellow_tripdata_2024-02.parquet",
    ]
    assert {pq.read_metadata(path).num_rows for path in files} == {50}
    assert all(path.name in done.stdout for path in files)
    assert (tmp_path / "misc" / "taxi_zone_lookup.csv").read_bytes() == lookup_csv()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_gets_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    arguments = ["--folder", str(tmp_path), "--port", "0", "--months", "2024-01"]
    arguments += ["--datasets", "green", "--rows", "20"]
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            lines = [process.stdout.readline().strip() for _ in range(5)]
            url = lines[1].rpartition(" ")[2]
            assert lines[1] == f"serving {tmp_path} at {url}"
            published = lines[2]
            assert published == f"{url}/trip-data/green_tripdata_2024-01.parquet"
            assert [httpx.get(line).status_code for line in lines[2:]] == [200, 200, 200]
            process.send_signal(number)
            assert process.wait(timeout=10) == 0
            assert process.stdout.read() == "stopped\n"
            assert process.stderr.read() == ""
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("months", "message"),
    [
        ("2024-13", "2024-13 is not a month"),
        ("January", "'January' is not a month"),
        ("2024-02:2024-01", "ends before it begins"),
        ("2013-12:2014-01", "green 2013-12 cannot exist: TLC publishes green since 2014-01"),
    ],
)
def test_an_invalid_month_is_a_one_line_error(tmp_path: Path, months: str, message: str) -> None:
    done = run("--folder", tmp_path / "new", "--months", months, "--datasets", "green")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_port_in_use_is_a_one_line_error(tmp_path: Path) -> None:
    with Simulator(tmp_path) as other:
        port = other.url.rpartition(":")[2]
        done = run("--folder", tmp_path, "--port", port)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"cannot serve on port {port}" in done.stderr
    assert "--port" in done.stderr
