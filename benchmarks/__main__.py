"""Measure a 20-million-row fhvhv month through the four assets, beside its floor and pandas.

It also measures what running a month costs besides its work (``backfill``), and writes
``RESULTS.md``. What the assets are compared with is ``work``.

    python -m benchmarks [--rows 20000000]

Every figure is of a process of its own: wall time and peak resident memory from start to exit.
They are comparable within one run of this command only.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import backfill
from taxi_assets.datasets import Month

RESULTS = Path(__file__).with_name("RESULTS.md")
MONTH = Month(2024, 1)

_OVERHEAD = """
## What running a month costs

Small months, generated: what is measured is the running of them. One month is one run. Of a
backfill's time about 30 s pass until the daemon, which checks for backfills twice a minute, makes
the runs, and up to 30 s more until it finds that they have ended.

| what | |
|---|---:|
{}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One process: what it did, its exit code, wall seconds and peak resident MiB."""

    name: str
    code: int
    seconds: float
    peak_mib: float


def main() -> int:
    """Run all, write the results; 1 when the assets themselves failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="taxi-bench-") as folder:
        root = Path(folder)
        print(f"Generating {rows:,} rows ...", flush=True)
        published = _publish(root / "site", rows)
        size = published.stat().st_size
        measured = [_assets(root)]
        for name in ("floor", "defaults", "pandas"):
            measured.append(_work(name, published, root / name))  # noqa: PERF401 - prints between
    RESULTS.write_text(_report(rows, size, measured) + _OVERHEAD.format(backfill.report()))
    print(RESULTS.read_text())
    return measured[0].code


def _publish(site: Path, rows: int) -> Path:
    command = ["-m", "taxi_assets.simulator", "--folder", str(site), "--no-serve"]
    what = ["--datasets", "fhvhv", "--months", str(MONTH), "--rows", str(rows)]
    subprocess.run([sys.executable, *command, *what], check=True, stdout=subprocess.DEVNULL)
    return site / "trip-data" / f"fhvhv_tripdata_{MONTH}.parquet"


def _assets(root: Path) -> Measured:
    from taxi_assets.simulator.server import Simulator  # noqa: PLC0415 - only this part serves

    with Simulator(root / "site") as simulator:
        # TLC knows its files' ETags; the simulator hashes a file when first asked.
        urllib.request.urlopen(f"{simulator.url}/trip-data/fhvhv_tripdata_{MONTH}.parquet").close()
        env = {"TAXI_HOME": str(root / "home"), "TAXI_TLC_URL": simulator.url}
        command = ["-m", "taxi_assets", "run", "--datasets", "fhvhv", "--months"]
        # A home is new once: its records and the taxi zones are there on any other day.
        simulator.publish("fhvhv", MONTH.plus(-1), rows=1_000)
        _measure("a small month, for a home", [*command, str(MONTH.plus(-1))], env)
        return _measure("the four assets", [*command, str(MONTH)], env)


def _work(name: str, published: Path, folder: Path) -> Measured:
    folder.mkdir()
    titles = {
        "floor": "floor: DuckDB copy + create table, the assets' own limits",
        "defaults": "DuckDB copy + create table, DuckDB's defaults",
        "pandas": "pandas: read, rename, flag, split, write, load",
    }
    arguments = ["-m", "benchmarks.work", name, str(published), str(folder)]
    return _measure(titles[name], arguments, {})


def _measure(name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Measured:
    print(f"{name} ...", flush=True)
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, **env}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(name, process.returncode, seconds, _peak_mib(usage))


def _peak_mib(usage: resource.struct_rusage) -> float:
    # Linux counts in KiB, macOS in bytes.
    return usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def _report(rows: int, size: int, measured: Sequence[Measured]) -> str:
    floor = measured[1].seconds
    lines = [
        f"| {each.name} | {each.seconds:.1f} | {each.seconds / floor:.2f} | {each.peak_mib:,.0f} |"
        if each.code == 0
        else f"| {each.name} | failed (exit {each.code}) | | {each.peak_mib:,.0f} |"
        for each in measured
    ]
    return "\n".join(
        [
            "# Benchmark",
            "",
            f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: one generated fhvhv month, "
            f"{rows:,} rows, {size / 2**20:,.0f} MiB as published, {os.cpu_count()} cores, DuckDB "
            f"{version('duckdb')}, Dagster {version('dagster')}, pandas {version('pandas')}.",
            "",
            "Whole processes, from start to exit. The assets also download the file over loopback, "
            "verify and checksum it, audit the month and count both stores again; the home they "
            "work in holds a small month already. Only the ratios mean anything elsewhere.",
            "",
            "| what | seconds | of the floor | peak memory, MiB |",
            "|---|---:|---:|---:|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
