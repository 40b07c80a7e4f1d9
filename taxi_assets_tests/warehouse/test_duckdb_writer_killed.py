"""A process killed while it replaces a month leaves the old month in every table."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from taxi_assets.warehouse.base import LoadedMonth
from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse
from taxi_assets_tests.warehouse.months import (
    FEBRUARY,
    JANUARY,
    REJECTS,
    load,
    rows_of,
    trips,
    zones_of,
)

# Replaces the trips, then waits forever for the rejects' file.
_WRITER = """
import signal, sys
from pathlib import Path
from taxi_assets.warehouse.base import Load, Source
from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse
from taxi_assets_tests.warehouse.months import JANUARY, REJECTS, TRIPS, parquet, trips

def never():
    print("halfway", flush=True)
    signal.pause()

new = parquet(Path(sys.argv[2]), trips([2] * 5_000))
loads = [Load(TRIPS, new, "b"), Load(REJECTS, Source(never))]
DuckDBWarehouse(Path(sys.argv[1])).replace(loads, JANUARY)
"""


def test_a_killed_writer_leaves_the_old_month(tmp_path: Path) -> None:
    path = tmp_path / "taxi.duckdb"
    warehouse = DuckDBWarehouse(path)
    load(warehouse, tmp_path / "old", trips([1, 1]), version="a")
    load(warehouse, tmp_path / "old", trips([9], FEBRUARY), FEBRUARY)
    load(warehouse, tmp_path / "old", trips([1]), table=REJECTS)
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), str(tmp_path / "new")],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "halfway\n"
        writer.send_signal(signal.SIGKILL)
    assert zones_of(warehouse, [JANUARY]) == [1, 1]
    assert warehouse.loaded("green_trips", JANUARY) == LoadedMonth("a", 2)
    assert zones_of(warehouse, [FEBRUARY]) == [9]
    assert [row["zone"] for row in rows_of(warehouse, REJECTS.name)] == [1]
    assert load(warehouse, tmp_path / "new", trips([3])) == 1
    assert zones_of(warehouse) == [3, 9]
