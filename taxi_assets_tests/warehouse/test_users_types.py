"""Every type that a user's frame or file may have, stored the same in every warehouse."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.errors import (
    Misconfigured,
    TableSchemaConflict,
    TaxiAssetsError,
    UncastableValue,
)
from taxi_assets.warehouse.base import Warehouse
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.warehouse.io_manager import WarehouseIOManager
from taxi_assets_tests.warehouse.catalogs import execute

MONTHS = dg.MonthlyPartitionsDefinition("2024-01", end_date="2024-04", fmt="%Y-%m")
VALUES: dict[str, Any] = {}
LARGEST = np.iinfo(np.int64).max


@dg.asset(partitions_def=MONTHS, io_manager_key="warehouse")
def mine(context: dg.AssetExecutionContext) -> Any:
    return VALUES[context.partition_key]


@pytest.fixture
def duckdb_warehouse(tmp_path: Path) -> Warehouse:
    return open_warehouse(f"duckdb:///{tmp_path / 'taxi.duckdb'}")


def materialize(warehouse: Warehouse, month: str, value: Any) -> None:
    VALUES[month] = value
    manager = WarehouseIOManager(warehouse)
    assert dg.materialize([mine], partition_key=month, resources={"warehouse": manager}).success


def frame() -> pd.DataFrame:
    """Two rows: a value in each column, then None where the type has it."""
    return pd.DataFrame(
        {
            "id": np.array([1, 2], np.int8),
            "nanoseconds": pd.to_datetime(["2024-01-02 03:04:05.678901", "NaT"]).astype("M8[ns]"),
            "seconds": pd.to_datetime(["2024-01-02 03:04:05", "NaT"]).astype("M8[s]"),
            "nothing": [None, None],
            "half": np.array([0.1, -65504], np.float16),
            "single": np.array([0.1, np.inf], np.float32),
            "u8": np.array([255, 0], np.uint8),
            "u32": np.array([2**32 - 1, 0], np.uint32),
            "u64": np.array([LARGEST, 0], np.uint64),
            "i16": pd.array([-(2**15), None], "Int16"),
            "i32": pd.array([-(2**31), None], "Int32"),
            "flag": pd.array([True, None], "boolean"),
            "kind": pd.Categorical(["Straße", None]),
            "grade": pd.Categorical([3, 1]),
            "text": pd.array(["é", None], "string"),
            "day": [date(2024, 1, 2), None],
        }
    )


FIRST = {
    "id": 1,
    "nanoseconds": datetime(2024, 1, 2, 3, 4, 5, 678901),  # noqa: DTZ001 - naive by design
    "seconds": datetime(2024, 1, 2, 3, 4, 5),  # noqa: DTZ001
    "nothing": None,
    "half": float(np.float16(0.1)),
    "single": float(np.float32(0.1)),
    "u8": 255,
    "u32": 2**32 - 1,
    "u64": LARGEST,
    "i16": -(2**15),
    "i32": -(2**31),
    "flag": True,
    "kind": "Straße",
    "grade": 3,
    "text": "é",
    "day": date(2024, 1, 2),
}
SECOND = {
    "id": 2,
    **dict.fromkeys(
        ("nanoseconds", "seconds", "nothing", "i16", "i32", "flag", "kind", "text", "day")
    ),
    "half": -65504.0,
    "grade": 1,
    "single": float("inf"),
    "u8": 0,
    "u32": 0,
    "u64": 0,
}


def stored(url: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    rows = execute(url, f"SELECT {', '.join(columns)} FROM mine ORDER BY id")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def as_int96(folder: Path) -> Path:
    """The frame as a file in the oldest types that a Parquet file may have."""
    path = folder / "int96.parquet"
    table = pa.Table.from_pandas(frame(), preserve_index=False)
    pq.write_table(table, path, use_deprecated_int96_timestamps=True, store_schema=False)
    return path


def test_a_user_s_types_are_cast_without_changing_a_value(warehouse_url: str) -> None:
    materialize(open_warehouse(warehouse_url), "2024-01", frame())
    assert stored(warehouse_url, list(FIRST)) == [FIRST, SECOND]


def test_a_user_s_file_is_cast_too(bigquery_url: str, tmp_path: Path) -> None:
    materialize(open_warehouse(bigquery_url), "2024-01", as_int96(tmp_path))
    assert stored(bigquery_url, list(FIRST)) == [FIRST, SECOND]


def test_int96_times_keep_their_century(warehouse_url: str, tmp_path: Path) -> None:
    times = [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)]  # noqa: DTZ001
    path = tmp_path / "int96.parquet"
    rows = pa.table({"id": [1, 2], "taken": pa.array(times, pa.timestamp("us"))})
    pq.write_table(rows, path, use_deprecated_int96_timestamps=True)
    WarehouseIOManager(open_warehouse(warehouse_url)).store(["mine"], None, path)
    assert [row["taken"] for row in stored(warehouse_url, ["id", "taken"])] == times


def test_a_column_of_none_has_the_type_that_the_table_gives_it(warehouse_url: str) -> None:
    manager = WarehouseIOManager(open_warehouse(warehouse_url))
    manager.store(["mine"], "2024-01", pd.DataFrame({"id": [1], "tip": [0.5]}))
    none = pd.DataFrame({"id": [2], "tip": [None], "note": [None]})
    manager.store(["mine"], "2024-02", none)
    manager.store(["mine"], "2024-03", pd.DataFrame({"id": [3], "tip": [1.5], "note": ["n"]}))
    assert [tuple(row.values()) for row in stored(warehouse_url, ["id", "tip", "note"])] == [
        (1, 0.5, None),
        (2, None, None),
        (3, 1.5, "n"),
    ]


def test_a_table_that_is_not_monthly_has_the_same_types(warehouse_url: str) -> None:
    manager = WarehouseIOManager(open_warehouse(warehouse_url))
    manager.store(["mine"], None, pd.DataFrame({"id": [1], "tip": [0.5]}))
    manager.store(["mine"], None, pd.DataFrame({"id": [3, 4], "tip": [None, 1.5]}))
    assert [tuple(row.values()) for row in stored(warehouse_url, ["id", "tip"])] == [
        (3, None),
        (4, 1.5),
    ]


DECIMAL = pa.decimal128(4, 2)


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (pa.array([LARGEST + 1], pa.uint64()), UncastableValue, "column bad of mine.*range"),
        (pa.array([1], pa.timestamp("ns")), UncastableValue, "column bad.*cuts nanoseconds off"),
        (pa.array([1], pa.date64()), UncastableValue, "column bad of mine does not fit date32"),
        (pa.array([1], pa.timestamp("us", "UTC")), TableSchemaConflict, "bad of mine.*tz_localize"),
        (pa.array([1], DECIMAL), TableSchemaConflict, r"bad of mine has type decimal128.*astype"),
        (pa.array([1], pa.time64("us")), TableSchemaConflict, "bad of mine has type time64"),
        (pa.array([b"x"]), TableSchemaConflict, "bad of mine has type binary"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_a_value_that_cannot_be_kept_is_named_and_nothing_is_loaded(
    duckdb_warehouse: Warehouse, value: pa.Array, error: type[TaxiAssetsError], expected: str
) -> None:
    manager = WarehouseIOManager(duckdb_warehouse)
    manager.store(["mine"], "2024-01", pa.table({"id": [1]}))
    with pytest.raises(error, match=expected):
        manager.store(["mine"], "2024-01", pa.table({"id": [2], "bad": value}))
    assert execute(duckdb_warehouse.url, "SELECT id FROM mine") == [(1,)]


@pytest.mark.parametrize(
    "bad",
    [
        pd.DataFrame({"mixed": [1, "a"]}),
        pd.DataFrame({"complex": [1j]}),
        pd.DataFrame([[1, 2]], columns=["twice", "twice"]),
    ],
    ids=lambda frame: frame.columns[0],
)
def test_a_frame_without_arrow_types_is_named(
    duckdb_warehouse: Warehouse, bad: pd.DataFrame
) -> None:
    with pytest.raises(Misconfigured, match=rf"cannot be stored .*{bad.columns[0]}"):
        WarehouseIOManager(duckdb_warehouse).store(["mine"], "2024-01", bad)


def test_a_file_with_the_table_s_types_is_loaded_as_it_is(
    duckdb_warehouse: Warehouse, tmp_path: Path
) -> None:
    rows = pa.table({"id": [1], "source_month": [date(2024, 1, 1)]})
    path, scratch = tmp_path / "rows.parquet", tmp_path / "scratch"
    pq.write_table(rows, path)
    manager = WarehouseIOManager(duckdb_warehouse, scratch=str(scratch))
    manager.store(["mine"], "2024-01", path)
    assert list(scratch.rglob("*.parquet")) == []
    manager.store(["mine"], "2024-01", rows)
    assert len(list(scratch.rglob("*.parquet"))) == 1
