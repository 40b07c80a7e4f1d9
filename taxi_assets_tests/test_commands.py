"""The commands as a person types them: whole processes, in a home of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

_ROW = re.compile(r"^(yellow|green|fhv|fhvhv) +(\d{4}-\d{2})((?: +[\d,-]+){5}) +[\d.]+$", re.M)


def command(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("TAXI_", "DAGSTER_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "taxi_assets", *arguments],
        env={**inherited, "TAXI_HOME": str(home / ".taxi"), **env},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def table(output: str) -> dict[tuple[str, str], list[int]]:
    return {
        (dataset, month): [int(each.replace(",", "")) for each in counts.split()]
        for dataset, month, counts in _ROW.findall(output)
    }


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home in which the demo ran once, and what it printed."""
    home = tmp_path_factory.mktemp("demo")
    done = command(home, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return home, done.stdout


def test_demo_shows_three_months_of_all_datasets_and_their_counts_are_true(
    demo: tuple[Path, str],
) -> None:
    home, output = demo
    counted = table(output)
    assert len(counted) == 12
    with duckdb.connect(str(home / ".taxi" / "warehouse.duckdb"), read_only=True) as warehouse:
        for (dataset, month), (published, clean, rejected, lake, loaded) in counted.items():
            file = home / f".taxi/simulator/trip-data/{dataset}_tripdata_{month}.parquet"
            assert published == pq.read_metadata(file).num_rows > 0
            assert published == clean + rejected
            assert lake == clean
            query = f"SELECT count(*) FROM {dataset}_trips WHERE source_month = '{month}-01'"
            assert warehouse.execute(query).fetchone() == (loaded,)
            assert loaded == clean


def test_a_second_demo_gives_the_same_counts_and_downloads_nothing(demo: tuple[Path, str]) -> None:
    home, output = demo
    again = command(home, "demo")
    assert again.returncode == 0, again.stderr
    assert table(again.stdout) == table(output)
    assert again.stdout.count("unchanged at TLC, not downloaded again") == 12


def test_a_demo_leaves_no_file_in_scratch(demo: tuple[Path, str]) -> None:
    home, _ = demo
    assert [
        each
        for each in (home / ".taxi/scratch").rglob("*")
        if each.is_file() and each.name != ".lock"
    ] == []


def test_the_readmes_pandas_lines_work_on_the_demo(demo: tuple[Path, str]) -> None:
    home, _ = demo
    readme = Path(__file__).parents[1].joinpath("README.md").read_text()
    code = re.search(r"```python\n(import pandas as pd\n.*?)```", readme, re.S)
    assert code
    assert len([line for line in code[1].splitlines() if line.strip()]) <= 4
    program = code[1] + "\nprint(len(trips), trips['total_amount'].sum())"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=home, capture_output=True, text=True, check=True
    )
    with duckdb.connect(str(home / ".taxi" / "warehouse.duckdb"), read_only=True) as warehouse:
        expected = warehouse.execute(
            "SELECT count(*), sum(total_amount) FROM green_trips WHERE source_month = '2024-01-01'"
        ).fetchone()
    assert expected
    rows, total = ran.stdout.split()
    assert int(rows) == expected[0]
    assert float(total) == pytest.approx(expected[1])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--months", "2024-13"), "2024-13 is not a month"),
        (("--months", "2024-03:2024-01"), "ends before it begins"),
        (("--months", "January"), "write it as YYYY-MM"),
        (("--months", "2013-12"), "green has no month 2013-12: TLC publishes it from 2014-01"),
        (("--months", "2999-01"), "is the newest that can be there today"),
        (("--datasets", "gren", "--months", "2024-01"), "'gren' is not a dataset"),
    ],
)
def test_an_impossible_month_gets_one_clear_line(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    green = () if "--datasets" in arguments else ("--datasets", "green")
    refused = command(tmp_path, "run", *green, *arguments)
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert says in refused.stderr
    assert not (tmp_path / ".taxi").exists()


def test_a_month_that_tlc_has_not_published_is_named_and_the_command_fails(tmp_path: Path) -> None:
    from taxi_assets.simulator.server import Simulator  # noqa: PLC0415

    with Simulator(tmp_path / "site") as tlc:
        tlc.publish_zones()
        ran = command(
            tmp_path, "run", "--datasets", "green", "--months", "2024-01", TAXI_TLC_URL=tlc.url
        )
    assert ran.returncode == 1
    (line,) = [each for each in ran.stderr.splitlines() if each.startswith("FAILED")]
    assert "green/raw_trips 2024-01 failed" in line
    assert "not published" in line.lower()
