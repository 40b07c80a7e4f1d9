"""The commands, run as processes, each in its own home."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow.parquet as pq
import pytest

import taxi_assets.instance
from taxi_assets import summary
from taxi_assets.datasets import DATASETS, Month
from taxi_assets.settings import Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets.summary import Counter
from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse
from taxi_assets_tests.mirror import mirror_of

SHIPPED = Path(taxi_assets.instance.__file__).with_name("dagster.yaml")
JANUARY = ("--datasets", "green", "--months", "2024-01")

_ROW = re.compile(r"^(yellow|green|fhv|fhvhv) +(\d{4}-\d{2})((?: +[\d,-]+){5}) +[\d.]+$", re.M)


def environment(home: Path, **env: str) -> dict[str, str]:
    """An environment with ``home`` and ``env`` as the only settings."""
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("TAXI_", "DAGSTER_"))
    }
    return {**inherited, "TAXI_HOME": str(home / ".taxi"), **env}


def command(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taxi_assets", *arguments],
        env=environment(home, **env),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def table(output: str) -> dict[tuple[str, str], list[int]]:
    """The counts by dataset and month; -1 for a dash, where nothing was counted."""
    return {
        (dataset, month): [
            -1 if each == "-" else int(each.replace(",", "")) for each in counts.split()
        ]
        for dataset, month, counts in _ROW.findall(output)
    }


@contextmanager
def records(home: Path) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance in that home."""
    folder = home / ".taxi" / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(SHIPPED, folder)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home in which the demo was run once, and its output."""
    home = tmp_path_factory.mktemp("demo")
    done = command(home, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return home, done.stdout


def test_the_demo_prints_correct_counts_of_three_months_of_all_datasets(
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
    # The setting of a real source has no effect on the demo's.
    again = command(home, "demo", TAXI_SOURCE_FORMAT="csv.gz")
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
    ("arguments", "error"),
    [
        (("--months", "2024-13"), "2024-13 is not a month"),
        (("--months", "2024-03:2024-01"), "ends before it begins"),
        (("--months", "January"), "write it as YYYY-MM"),
        (("--months", "2013-12"), "green has no month 2013-12: TLC publishes it from 2014-01 on"),
        (("--months", "2999-01"), "is the newest month that can be published today"),
        (("--datasets", "gren", "--months", "2024-01"), "'gren' is not a dataset"),
    ],
)
def test_an_impossible_month_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], error: str
) -> None:
    green = () if "--datasets" in arguments else ("--datasets", "green")
    refused = command(tmp_path, "run", *green, *arguments)
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert error in refused.stderr
    assert not (tmp_path / ".taxi").exists()


def test_each_month_is_a_run_of_its_datasets_job(demo: tuple[Path, str]) -> None:
    home, output = demo
    with records(home) as instance:
        runs = instance.get_runs()
    months: list[tuple[str, str | None]] = [("zones", None)]
    for dataset in ("yellow", "green", "fhv", "fhvhv"):
        months += [(f"{dataset}_months", f"2024-0{month}") for month in (1, 2, 3)]
    recorded = [(run.job_name, run.tags.get("dagster/partition")) for run in reversed(runs)]
    assert recorded[: len(months)] == months
    printed = re.findall(r"^\[(\d+)/12\] (\w+) (\d{4}-\d{2}) … .*; done$", output, re.M)
    assert [(int(n), f"{name}_months", month) for n, name, month in printed] == [
        (n, *pair) for n, pair in enumerate(months[1:], start=1)
    ]


def test_the_list_of_runs_shows_the_month_and_no_internal_tags(
    demo: tuple[Path, str],
) -> None:
    home, _ = demo
    with records(home) as instance:
        shown = {
            tag
            for run in instance.get_runs()
            for tag in run.tags
            if not tag.startswith(".dagster/")
        }
    ours = {tag for tag in shown if not tag.startswith(("dagster/", "dagster-k8s/"))}
    assert ours <= {"taxi/dataset"}
    assert shown - ours == {"dagster/partition", "dagster/max_retries"}


@pytest.fixture
def green(tlc: Simulator) -> Simulator:
    """A TLC with the zones and January of green."""
    tlc.publish_zones()
    tlc.publish("green", Month(2024, 1), rows=500)
    return tlc


def test_a_wrong_published_count_is_a_warning_after_the_table(
    tmp_path: Path, green: Simulator
) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("dataset,month,rows\ngreen,2024-01,1234\n")
    with mirror_of(tmp_path / "site") as url:
        ran = command(tmp_path, "run", *JANUARY, TAXI_TLC_URL=url, TAXI_ROW_COUNTS=str(counts))
    assert ran.returncode == 0
    (line,) = ran.stderr.splitlines()
    assert line.startswith(
        "warning    green 2024-01: 500 rows published (origin: mirror) in a file"
    )
    assert "; the trusted count is 1,234, of a file of an unknown date. " in line


def test_a_later_command_refreshes_the_zones_that_tlc_changed(
    tmp_path: Path, green: Simulator
) -> None:
    def name_of_265() -> list[tuple[str]]:
        ran = command(tmp_path, "run", *JANUARY, TAXI_TLC_URL=green.url)
        assert ran.returncode == 0, ran.stderr
        with duckdb.connect(str(tmp_path / ".taxi/warehouse.duckdb"), read_only=True) as warehouse:
            return warehouse.sql("SELECT zone FROM taxi_zones WHERE location_id = 265").fetchall()

    assert name_of_265() == [("Outside of NYC",)]
    (lookup,) = tmp_path.glob("site/misc/*.csv")
    lookup.write_bytes(lookup.read_bytes().replace(b"Outside of NYC", b"Elsewhere"))
    assert name_of_265() == [("Elsewhere",)]


def test_zones_that_cannot_be_loaded_are_reported_with_the_reason(
    tmp_path: Path, tlc: Simulator
) -> None:
    tlc.publish_zones()
    (shapes,) = tmp_path.glob("site/misc/*.zip")
    with zipfile.ZipFile(shapes) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(shapes, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content[: len(content) // 2])
    tlc.publish("green", Month(2024, 1), rows=100)
    ran = command(tmp_path, "run", *JANUARY, TAXI_TLC_URL=tlc.url)
    assert ran.returncode == 1
    assert re.search(r"^taxi zones … .*failed$", ran.stdout, re.M)
    (line,) = ran.stderr.splitlines()
    assert line.startswith(
        "FAILED     lake_zones: taxi_zone_lookup.csv or taxi_zones.zip cannot be"
    )
    assert line.endswith("check the files on TLC's page.")


def test_an_unpublished_month_fails_alone_and_in_one_line(tmp_path: Path, green: Simulator) -> None:
    ran = command(
        tmp_path, "run", "--datasets", "green", "--months", "2024-01:2024-02",
        TAXI_TLC_URL=green.url,
    )  # fmt: skip
    assert ran.returncode == 1
    assert re.search(r"^\[1/2\] green 2024-01 … .*; done$", ran.stdout, re.M)
    assert re.search(r"^\[2/2\] green 2024-02 … .*failed$", ran.stdout, re.M)
    (line,) = ran.stderr.strip().splitlines()
    assert line.startswith("FAILED     green/raw_trips 2024-02")
    assert "not published" in line.lower()
    assert table(ran.stdout)["green", "2024-02"] == [-1, -1, -1, -1, 0]


def test_the_table_is_printed_when_the_warehouse_fails(tmp_path: Path, green: Simulator) -> None:
    (tmp_path / "warehouse.duckdb").write_text("this is no database")
    ran = command(
        tmp_path, "run", *JANUARY,
        TAXI_TLC_URL=green.url, TAXI_WAREHOUSE_URL=f"duckdb:///{tmp_path}/warehouse.duckdb",
    )  # fmt: skip
    assert ran.returncode == 1
    published, clean, rejected, lake, loaded = table(ran.stdout)["green", "2024-01"]
    assert published == clean + rejected == 500
    assert (lake, loaded) == (clean, -1)
    assert re.search(r"^uncounted  warehouse: Opening .* failed \(DuckDB: ", ran.stderr, re.M)
    last = ran.stderr.strip().splitlines()[-1]
    assert last.startswith("FAILED     ")
    assert "warehouse_trips" in last
    assert "Traceback" not in ran.stderr


def test_a_locked_warehouse_is_queried_once_and_shown_as_a_dash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "warehouse.duckdb"
    impatient = DuckDBWarehouse(path, lock_timeout_seconds=0.1)
    monkeypatch.setattr(summary, "open_warehouse", lambda *_, **__: impatient)
    with held_open(path):
        counter = Counter(Settings.from_env({"TAXI_HOME": str(tmp_path)}))
        january = counter.count(DATASETS["green"], Month(2024, 1))
        reason = counter.uncounted.pop("warehouse")
        assert "Conflicting lock is held" in reason
    assert january.warehouse is None
    assert counter.count(DATASETS["green"], Month(2024, 1)).warehouse == 0


@contextmanager
def held_open(path: Path) -> Iterator[None]:
    """Another process holds the DuckDB file open for writing."""
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.readline()
    try:
        yield
    finally:
        process.communicate()


def changed_command(
    change: str, home: Path, *arguments: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """A command in a process that executes ``change`` first."""
    program = f"{change}\nimport sys\nfrom taxi_assets.cli import main\nsys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(home, **env),
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unexpected_error_shows_its_traceback(tmp_path: Path, green: Simulator) -> None:
    ran = changed_command(
        "from taxi_assets.tlc import TlcClient; TlcClient.download_file = lambda *_, **__: 1 / 0",
        tmp_path, "run", *JANUARY, TAXI_TLC_URL=green.url,
    )  # fmt: skip
    assert ran.returncode == 1
    assert re.search(r'^ *File ".*zones.py", line \d+, in zones$', ran.stderr, re.M)
    last = ran.stderr.strip().splitlines()[-1]
    assert last.startswith("FAILED     lake_zones")
    assert "ZeroDivisionError: division by zero" in last
    assert len(table(ran.stdout)) == 1


@pytest.mark.parametrize("months", [(), (("green", 2024, 1), ("yellow", 2024, 1))])
def test_upgrade_runs_the_outdated_months(
    tmp_path: Path, green: Simulator, months: tuple[tuple[str, int, int], ...]
) -> None:
    green.publish("yellow", Month(2024, 1), rows=300)
    ran = changed_command(
        "from taxi_assets import cli; from taxi_assets.datasets import DATASETS, Month; "
        "cli.outdated_months = lambda store, warehouse: "
        f"[(DATASETS[name], Month(year, month)) for name, year, month in {months!r}]",
        tmp_path, "upgrade", TAXI_TLC_URL=green.url,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert list(table(ran.stdout)) == [(name, "2024-01") for name, *_ in months]
    assert ("Every month is up to date" in ran.stdout) == (not months)
    assert ("Upgrading 2 months to layout" in ran.stdout) == bool(months)


def test_a_run_that_waits_for_a_pool_reports_its_holder_once(
    tmp_path: Path, green: Simulator
) -> None:
    with records(tmp_path) as instance:
        holder = instance.add_run(
            dg.DagsterRun(
                job_name="yellow_months",
                run_id=str(uuid.uuid4()),
                status=dg.DagsterRunStatus.STARTED,
                tags={"dagster/partition": "2023-12"},
            )
        )
        storage = instance.event_log_storage
        storage.set_concurrency_slots("tlc", 1)
        storage.claim_concurrency_slot("tlc", holder.run_id, "yellow__raw_trips")
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "taxi_assets",
                "run",
                "--datasets",
                "green",
                "--months",
                "2024-01",
            ],
            env=environment(tmp_path, TAXI_TLC_URL=green.url),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        output = ""
        while "waiting for pool" not in output and (character := process.stdout.read(1)):
            output += character
        storage.free_concurrency_slots_for_run(holder.run_id)
        output += process.communicate()[0]
    assert process.returncode == 0
    assert output.count("waiting for pool") == 1
    assert f"held by yellow/raw_trips 2023-12 in run {holder.run_id};" in output
