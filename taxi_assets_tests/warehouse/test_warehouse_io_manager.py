"""Inputs and outputs of a user's assets in the warehouse, by type annotation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PosixPath
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.lake.handles import LakeValue, StoredFile, StoredMonth
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.downstream import MONTHLY, QUARTERLY, reader, writer
from taxi_assets_tests.assets.platform import Platform, failures

FORMS: dict[str, Any] = {
    "frame": pd.DataFrame,
    "table": pa.Table,
    "batches": pa.RecordBatchReader,
    "path": Path,
}
ROWS = {"2024-01": 300, "2024-02": 310, "2024-03": 320}
RANGE = ("2024-01", "2024-03")
TRIPS = ["green", "warehouse_trips"]
NO_SERVER = "http://127.0.0.1:1"
TEN = pa.table({"name": [f"n{i}" for i in range(10)], "number": list(range(10))})


@dataclass(frozen=True)
class Warehouse:
    """Three months of green, and assets that read them; ``got`` has the values they received."""

    platform: Platform
    got: dict[str, Any]

    def run(self, name: str, first: str | None = None, last: str | None = None) -> Any:
        result = self.platform.run(f"key:{name}", first, last)
        assert result.success, failures(result)
        return self.got.pop(name)

    def counts(self) -> dict[str, int]:
        return dict(
            self.platform.query(
                "SELECT strftime(source_month, '%Y-%m'), count(*) FROM green_trips GROUP BY 1"
            )
        )


def error_of(platform: Platform, name: str, first: str | None, last: str | None = None) -> str:
    """The message of the error that failed the asset's run."""
    result = platform.run(f"key:{name}", first, last)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.error
    assert error is not None
    return str((error.cause or error).message)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("warehouse")
    got: dict[str, Any] = {}
    more = [reader(f"reads_{name}", TRIPS, form, got) for name, form in FORMS.items()]
    more += [reader(f"reads_{name}s", TRIPS, dict[str, form], got) for name, form in FORMS.items()]  # type: ignore[valid-type]
    more += [
        reader(
            "columns", TRIPS, pd.DataFrame, got, metadata={"columns": ["tip_amount", "pickup_at"]}
        ),
        reader("quarter", TRIPS, pa.Table, got, partitions=QUARTERLY),
        reader("zones", ["taxi_zones"], pd.DataFrame, got, partitions=None),
        reader("a_handle", TRIPS, StoredFile, got),
        reader("yellow", ["yellow", "warehouse_trips"], pa.Table, got),
    ]
    with Simulator(folder / "site") as tlc:
        tlc.publish_zones()
        for month, rows in ROWS.items():
            tlc.publish("green", Month.parse(month), rows=rows)
        platform = Platform(folder / "home", tlc.url, more=more)
        for month in ROWS:
            platform.month("green", month)
        assert platform.run("+key:taxi_zones").success
    return Warehouse(platform, got)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("frame", pd.DataFrame),
        ("table", pa.Table),
        ("batches", pa.RecordBatchReader),
        ("path", PosixPath),
    ],
)
@pytest.mark.parametrize("months", [("2024-02",), RANGE], ids=["one month", "three months"])
def test_months_have_the_type_of_the_annotation(
    warehouse: Warehouse, name: str, form: type, months: tuple[str, ...]
) -> None:
    got = warehouse.run(f"reads_{name}", *months)
    assert issubclass(got.form, form)
    assert _months(got.rows) == (
        warehouse.counts() if len(months) == 2 else {"2024-02": warehouse.counts()["2024-02"]}
    )


@pytest.mark.parametrize("name", FORMS)
def test_a_dict_has_a_value_per_month(warehouse: Warehouse, name: str) -> None:
    got = warehouse.run(f"reads_{name}s", *RANGE)
    assert list(got) == list(ROWS)
    for month, each in got.items():
        assert _months(each.rows) == {month: warehouse.counts()[month]}


def test_a_frame_has_the_tables_types(warehouse: Warehouse) -> None:
    frame = warehouse.run("reads_frame", "2024-02").value
    types = frame.dtypes.astype(str)
    assert types["vendor_id"] == "Int64"
    assert types["pickup_at"] == "datetime64[us]"
    assert types["total_amount"] == "float64"
    assert types["store_and_fwd_flag"] == "string"


def test_selected_columns_are_in_the_requested_order(warehouse: Warehouse) -> None:
    assert warehouse.run("columns", *RANGE).rows.column_names == ["tip_amount", "pickup_at"]


def test_a_quarter_gets_its_three_months(warehouse: Warehouse) -> None:
    assert _months(warehouse.run("quarter", "2024-01").rows) == warehouse.counts()


def test_a_table_that_is_not_monthly_is_read_completely(warehouse: Warehouse) -> None:
    assert len(warehouse.run("zones").value) == 265


def test_the_error_for_a_missing_table_names_it(warehouse: Warehouse) -> None:
    message = error_of(warehouse.platform, "yellow", "2024-01")
    assert "has no table yellow_trips. Materialize its asset first." in message


def test_a_lake_handle_of_a_table_is_rejected(warehouse: Warehouse) -> None:
    message = error_of(warehouse.platform, "a_handle", "2024-01")
    assert "The input green/warehouse_trips is annotated StoredFile. Annotate it with" in message


def _batches() -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(TEN.schema, iter(TEN.to_batches(max_chunksize=3)))


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (pd.DataFrame, lambda: TEN.to_pandas(types_mapper={pa.string(): pd.StringDtype()}.get)),
        (pa.Table, lambda: TEN),
        (pa.RecordBatchReader, _batches),
    ],
    ids=["frame", "table", "batches"],
)
def test_an_asset_may_return_any_type_of_rows(form: Any, value: Any, tmp_path: Path) -> None:
    more = [
        writer("monthly_ten", value, form, "warehouse"),
        writer("whole_ten", value, form, "warehouse", monthly=False),
    ]
    platform = Platform(tmp_path, NO_SERVER, more=more)
    for month in ("2024-01", "2024-02", "2024-01"):
        assert platform.run("key:monthly_ten", month).success
    for _ in range(2):
        assert platform.run("key:whole_ten").success
    rows = platform.query(
        "SELECT strftime(source_month, '%Y-%m'), list((name, number) ORDER BY number) "
        "FROM monthly_ten GROUP BY 1 ORDER BY 1"
    )
    ten = list(zip(*TEN.to_pydict().values(), strict=True))
    assert rows == [("2024-01", ten), ("2024-02", ten)]
    assert platform.query("SELECT name, number FROM whole_ten ORDER BY number") == ten
    assert platform.metadata("whole_ten")["dagster/partition_row_count"] == 10
    assert platform.scratch_files() == []


def test_a_returned_file_is_loaded_and_not_moved(tmp_path: Path) -> None:
    mine = tmp_path / "mine.parquet"
    pq.write_table(TEN, mine)
    more = [writer("from_path", lambda: mine, Path, "warehouse")]
    platform = Platform(tmp_path / "home", NO_SERVER, more=more)
    assert platform.run("key:from_path", "2024-01").success
    assert platform.query("SELECT count(*) FROM from_path WHERE source_month = '2024-01-01'") == [
        (10,)
    ]
    assert pq.read_table(mine) == TEN


def test_a_returned_lake_object_is_loaded(warehouse: Warehouse) -> None:
    found = warehouse.platform.store.find("trips/green/year=2024/month=01/trips.parquet")
    assert found
    handle = StoredFile(found, lambda each: warehouse.platform.store.root / each.key)
    more = [writer("from_lake", lambda: handle, LakeValue, "warehouse")]
    platform = Platform(warehouse.platform.settings.home, NO_SERVER, more=more)
    assert platform.run("key:from_lake", "2024-01").success
    (different,) = platform.query(
        "SELECT count(*) FROM (SELECT * FROM green_trips WHERE source_month = '2024-01-01' "
        "EXCEPT ALL FROM from_lake)"
    )
    assert different == (0,)


@pytest.mark.parametrize("manager", ["warehouse", "lake"])
def test_a_month_that_a_users_asset_returns_is_stored_as_its_own_trips(
    warehouse: Warehouse, manager: str
) -> None:
    def passed_on(month):  # type: ignore[no-untyped-def]  # the annotations are set below
        return month

    passed_on.__annotations__ = {"month": StoredMonth, "return": LakeValue}
    mine = dg.asset(
        name=f"mine_in_{manager}",
        ins={"month": dg.AssetIn(["green", "lake_trips"])},
        partitions_def=MONTHLY,
        io_manager_key=manager,
    )(passed_on)
    assert isinstance(mine, dg.AssetsDefinition)
    before = warehouse.counts()
    platform = Platform(warehouse.platform.settings.home, NO_SERVER, more=[mine])
    result = platform.run(f"key:mine_in_{manager}", "2024-02")
    assert result.success, failures(result)
    rows = (
        f"read_parquet('{platform.store.root}/assets/mine_in_lake/2024-02.parquet')"
        if manager == "lake"
        else "mine_in_warehouse"
    )
    assert platform.query(f"SELECT count(*) FROM {rows}") == [(before["2024-02"],)]
    assert warehouse.counts() == before


def test_a_run_over_several_months_stores_one_value_per_month(tmp_path: Path) -> None:
    values = {month: TEN.slice(0, int(month[-1])) for month in ROWS}
    more = [
        writer("by_month", lambda: values, dict[str, pa.Table], "warehouse"),
        writer("in_one", lambda: TEN, pa.Table, "warehouse"),
    ]
    platform = Platform(tmp_path, NO_SERVER, more=more)
    result = platform.run("key:by_month", *RANGE)
    assert result.success, failures(result)
    counted = "SELECT strftime(source_month, '%Y-%m'), count(*) FROM {} GROUP BY 1 ORDER BY 1"
    assert dict(platform.query(counted.format("by_month"))) == {
        month: value.num_rows for month, value in values.items()
    }
    assert platform.run("key:in_one", "2024-01").success
    message = error_of(platform, "in_one", *RANGE)
    assert "in_one returned one Table in a run over 3 partitions (2024-01 to 2024-03)" in message
    assert platform.query(counted.format("in_one")) == [("2024-01", 10)]


def test_partitions_other_than_months_are_rejected(tmp_path: Path) -> None:
    @dg.asset(
        partitions_def=dg.StaticPartitionsDefinition(["east", "west"]), io_manager_key="warehouse"
    )
    def by_side() -> pa.Table:
        return TEN

    message = error_of(Platform(tmp_path, NO_SERVER, more=[by_side]), "by_side", "east")
    assert "'east' is not a month; write it as YYYY-MM, such as 2024-01." in message
    assert "The warehouse stores monthly partitions (keys YYYY-MM) or none." in message


def _months(rows: pa.Table) -> dict[str, int]:
    counted = pa.TableGroupBy(rows, "source_month").aggregate([([], "count_all")]).to_pylist()
    return {f"{row['source_month']:%Y-%m}": row["count_all"] for row in counted}
