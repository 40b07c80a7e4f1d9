"""What a month costs besides its work: a backfill by the daemon, and months in one process.

    python -m benchmarks.backfill

The months are small (2,000 rows), so that what is measured is the running of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from taxi_assets.cleaning import clean_month
from taxi_assets.datasets import DATASETS, Month, parse_months
from taxi_assets.datasets.stored import Part
from taxi_assets.lake import keys
from taxi_assets.lake.io_manager import finished
from taxi_assets.lake.local import LocalStore
from taxi_assets.simulator.server import Simulator
from taxi_assets.tlc import Download, TlcClient
from taxi_assets.warehouse.base import Load, Source
from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse
from taxi_assets.warehouse.tables import table_of
from taxi_assets_tests.ui.stack import Stack, wait_for

__all__ = ["report"]

GREEN = DATASETS["green"]
MONTHS = parse_months("2022-01:2023-12")
_FEW = 7
_GIVE_UP_SECONDS = 600.0

_LAUNCH = """mutation ($launch: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $launch) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
_STATUS = """query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } }
}"""


def report() -> str:
    """Measure all of it, and say it in lines of Markdown."""
    with (
        tempfile.TemporaryDirectory(prefix="taxi-bench-") as temporary,
        Simulator(Path(temporary) / "tlc") as site,
    ):
        root = Path(temporary)
        site.publish_zones()
        for month in MONTHS:
            site.publish("green", month)
        print("a backfill by the daemon ...", flush=True)
        with Stack(root / "backfill", site.url) as stack:
            backfill = _backfill(stack)
        print("months in one process ...", flush=True)
        _run(root / "home", site.url, MONTHS[:1])  # a home is new once
        one = _run(root / "home", site.url, MONTHS[1:2])
        several = _run(root / "home", site.url, MONTHS[2 : 2 + _FEW])
        work = sum(_work(root, site.url, month) for month in MONTHS[-_FEW:]) / _FEW
    further = (several - one) / (_FEW - 1)
    return "\n".join(
        [
            f"| {len(MONTHS)} months of green by a backfill, default settings, from the launch "
            f"to the last run's end | {backfill:.0f} s |",
            f"| one month by `run`, the whole process | {one:.1f} s |",
            f"| each further month in it | {further:.2f} s |",
            f"| the same month's work alone: download, clean, store, load | {work:.2f} s |",
        ]
    )


def _backfill(stack: Stack) -> float:
    names = ("raw_trips", "clean_trips", "lake_trips", "warehouse_trips")
    launch = {
        "assetSelection": [{"path": ["green", name]} for name in names],
        "partitionNames": [str(month) for month in MONTHS],
    }
    started = time.monotonic()
    answer = stack.ask(_LAUNCH, {"launch": launch})["launchPartitionBackfill"]

    def ended() -> str:
        asked = stack.ask(_STATUS, {"id": answer["backfillId"]})["partitionBackfillOrError"]
        status: str = asked["status"]
        return "" if status in ("REQUESTED", "CANCELING", "FAILING") else status

    status = wait_for(ended, seconds=_GIVE_UP_SECONDS, what="the end of the backfill")
    if status != "COMPLETED_SUCCESS":
        raise RuntimeError(f"the backfill ended as {status}")
    return time.monotonic() - started


def _run(home: Path, tlc_url: str, months: Sequence[Month]) -> float:
    started = time.monotonic()
    subprocess.run(
        [
            *(sys.executable, "-m", "taxi_assets", "run", "--datasets", "green"),
            *("--months", f"{months[0]}:{months[-1]}"),
        ],
        env={**os.environ, "TAXI_HOME": str(home), "TAXI_TLC_URL": tlc_url},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - started


def _work(root: Path, tlc_url: str, month: Month) -> float:
    """The month without Dagster, by the same code."""
    store, warehouse = LocalStore(root / "lake"), DuckDBWarehouse(root / "bare.duckdb")
    started = time.monotonic()
    with TlcClient(tlc_url) as client:
        got = client.download_month("green", month, root / "scratch")
    assert isinstance(got, Download)
    cleaned = clean_month(GREEN, month, got.path, root / "scratch" / str(month))
    stored = [
        store.put(finished(path, {}), keys.published(GREEN, month), replacing=None)
        for part, path in ((Part.REJECTS, cleaned.rejects), (Part.TRIPS, cleaned.trips))
    ]
    sources = [Source(lambda each=each: store.root / each.key, each) for each in stored]  # type: ignore[misc]  # a default binds the loop's value
    loads = [
        Load(table_of(GREEN, part), source)
        for part, source in zip((Part.REJECTS, Part.TRIPS), sources, strict=True)
    ]
    warehouse.replace(loads, month)
    return time.monotonic() - started


if __name__ == "__main__":
    print(report())
