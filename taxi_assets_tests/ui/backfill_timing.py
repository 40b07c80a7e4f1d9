"""How long a backfill takes: ``python -m taxi_assets_tests.ui.backfill_timing``.

Belongs here: two years of green through the real daemon on default settings, and where the
time went. Does not: judging it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from taxi_assets.datasets import parse_months
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.ui.stack import Stack, wait_for

MONTHS = parse_months("2022-01:2023-12")
_GIVE_UP_SECONDS = 300.0

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
_RUNS = "{ runsOrError { ... on Runs { results { status creationTime startTime endTime } } } }"


def main() -> int:
    """Print seconds since the launch at which each thing happened; 1 when it failed."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        Simulator(Path(temporary) / "tlc") as site,
    ):
        for month in MONTHS:
            site.publish("green", month)
        with Stack(Path(temporary) / "home", site.url) as stack:
            status = _time(stack)
    return 0 if status == "COMPLETED_SUCCESS" else 1


def _time(stack: Stack) -> str:
    names = ("raw_trips", "clean_trips", "lake_trips", "warehouse_trips")
    launch = {
        "assetSelection": [{"path": ["green", name]} for name in names],
        "partitionNames": [str(month) for month in MONTHS],
    }
    load = os.getloadavg()[0]
    started = time.time()
    answer = stack.ask(_LAUNCH, {"launch": launch})["launchPartitionBackfill"]
    backfill = answer["backfillId"]

    def ended() -> str:
        found: str = stack.ask(_STATUS, {"id": backfill})["partitionBackfillOrError"]["status"]
        return "" if found in ("REQUESTED", "CANCELING", "FAILING") else found

    status = wait_for(ended, seconds=_GIVE_UP_SECONDS, what="the backfill")
    seconds = time.time() - started
    runs: list[dict[str, Any]] = stack.ask(_RUNS)["runsOrError"]["results"]
    print(f"{len(MONTHS)} months of green, four assets: {status} after {seconds:.1f} s")
    for run in sorted(runs, key=lambda each: each["creationTime"]):
        times = (run[name] - started for name in ("creationTime", "startTime", "endTime"))
        print("  run created at {:.1f} s, started {:.1f} s, ended {:.1f} s".format(*times))
    print(f"load before {load:.1f}, after {os.getloadavg()[0]:.1f}, on {os.cpu_count()} cores")
    return status


if __name__ == "__main__":
    sys.exit(main())
