from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.eras import DATASETS, era_starts, schema_for
from taxi_assets.simulator.months import ROW_GROUP, default_rows, write_month

ERAS = [(dataset, month) for dataset in DATASETS for month in era_starts(dataset)]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("dataset", "month"), ERAS, ids=str)
def test_a_month_of_every_era_has_its_schema_and_its_rows(
    dataset: str, month: Month, tmp_path: Path
) -> None:
    path = tmp_path / "month.parquet"
    write_month(dataset, month, path, rows=700)
    table = pq.read_table(path)
    assert table.schema.equals(schema_for(dataset, month))
    assert table.num_rows == 700


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_same_arguments_give_the_same_bytes(dataset: str, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one", "two")]
    for path in paths:
        write_month(dataset, Month(2024, 1), path, rows=3_000, seed=7)
    assert digest(paths[0]) == digest(paths[1])


def test_another_seed_or_month_gives_other_trips(tmp_path: Path) -> None:
    variants = [(Month(2024, 1), 0), (Month(2024, 1), 1), (Month(2024, 2), 0)]
    fares = []
    for month, seed in variants:
        write_month("yellow", month, tmp_path / "month", rows=1_000, seed=seed)
        fares.append(tuple(pq.read_table(tmp_path / "month")["fare_amount"].to_pylist()))
    assert len(set(fares)) == 3


def test_a_large_month_is_split_into_row_groups(tmp_path: Path) -> None:
    rows = 2 * ROW_GROUP + 5
    write_month("fhv", Month(2024, 1), tmp_path / "month", rows=rows)
    found = pq.read_metadata(tmp_path / "month")
    assert found.num_rows == rows
    sizes = [found.row_group(number).num_rows for number in range(found.num_row_groups)]
    assert sizes == [ROW_GROUP, ROW_GROUP, 5]


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc"
)
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    few, many = (peak_memory(tmp_path, groups) for groups in (2, 5))
    assert many - few < 100 << 20  # the three additional groups are 150 MiB of columns
    assert many < 1 << 30


def peak_memory(folder: Path, groups: int) -> int:
    """The peak memory, in bytes, of a process that writes so many row groups."""
    program = (
        "import pathlib, re, sys\n"
        "from taxi_assets.datasets.month import Month\n"
        "from taxi_assets.simulator.months import ROW_GROUP, write_month\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "write_month('fhvhv', Month(2024, 1), path, rows=int(sys.argv[2]) * ROW_GROUP)\n"
        # Not getrusage: its peak includes that of the parent process.
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(re.search(r'VmHWM:\\s*(\\d+) kB', status)[1])\n"
    )
    arguments = [sys.executable, "-c", program, str(folder / "month"), str(groups)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    return int(done.stdout) * 1024


def test_row_groups_hold_different_trips(tmp_path: Path) -> None:
    write_month("fhv", Month(2024, 1), tmp_path / "month", rows=2 * ROW_GROUP)
    file = pq.ParquetFile(tmp_path / "month")
    first, second = (file.read_row_group(i)["PUlocationID"] for i in range(2))
    assert not first.equals(second)


def test_a_month_without_rows_is_written(tmp_path: Path) -> None:
    write_month("green", Month(2024, 1), tmp_path / "month", rows=0)
    assert pq.read_table(tmp_path / "month").num_rows == 0
    assert pq.read_schema(tmp_path / "month").equals(schema_for("green", Month(2024, 1)))


@pytest.mark.parametrize("rows", [1, 2, 7, 19, 25])
@pytest.mark.parametrize("dataset", DATASETS)
def test_a_month_of_a_few_rows_is_written(dataset: str, rows: int, tmp_path: Path) -> None:
    write_month(dataset, Month(2024, 11), tmp_path / "month", rows=rows)
    assert pq.read_metadata(tmp_path / "month").num_rows == rows


@pytest.mark.parametrize(("rows", "seed"), [(-1, 0), (1, -1)])
def test_negative_numbers_are_refused(rows: int, seed: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="green 2024-01"):
        write_month("green", Month(2024, 1), tmp_path / "month", rows=rows, seed=seed)


def test_default_sizes_keep_the_order_of_the_datasets() -> None:
    sizes = [default_rows(dataset, Month(2024, 1)) for dataset in DATASETS]
    yellow, green, fhv, fhvhv = sizes
    assert 1_000 < green < fhv < yellow < fhvhv < 100_000


def test_default_sizes_differ_from_month_to_month() -> None:
    assert len({default_rows("green", Month(2024, number)) for number in range(1, 7)}) > 4


def test_default_rows_of_an_invalid_month_are_refused() -> None:
    with pytest.raises(ValueError, match="fhvhv 2019-01 cannot exist"):
        default_rows("fhvhv", Month(2019, 1))
