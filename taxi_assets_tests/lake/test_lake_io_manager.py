"""Inputs and outputs of a user's assets in the lake, by type annotation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PosixPath
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import taxi_assets.failures
from taxi_assets.datasets.month import Month
from taxi_assets.lake.attributes import VERSION
from taxi_assets.lake.handles import LakeValue, NewFile, StoredFile, StoredMonth, redone
from taxi_assets.lake.io_manager import finished
from taxi_assets.lake.store import LakeObject
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.downstream import MONTHLY, QUARTERLY, reader, writer
from taxi_assets_tests.assets.platform import Platform, facts, failures, retried

FORMS: dict[str, Any] = {
    "frame": pd.DataFrame,
    "table": pa.Table,
    "batches": pa.RecordBatchReader,
    "path": Path,
    "handle": StoredFile,
}
ROWS = {"2024-01": 300, "2024-02": 310, "2024-03": 320}
LAKE = ["green", "lake_trips"]
RANGE = ("2024-01", "2024-03")
JANUARY = "trips/green/year=2024/month=01/trips.parquet"
NO_SERVER = "http://127.0.0.1:1"
IN_PLACE = "in place already, nothing written"
TEN = pa.table({"name": [f"n{i}" for i in range(10)], "number": list(range(10))})


@dataclass(frozen=True)
class Lake:
    """Three months of green, and assets that read them; ``got`` has the values they received."""

    platform: Platform
    got: dict[str, Any]

    def run(self, name: str, first: str | None = None, last: str | None = None) -> Any:
        """The value the asset received, read during its run."""
        result = self.platform.run(f"key:{name}", first, last)
        assert result.success, failures(result)
        return self.got.pop(name)

    def error(self, name: str, first: str | None = None, last: str | None = None) -> str:
        """The message of the asset's failed run."""
        return failures(self.platform.run(f"key:{name}", first, last))


@dg.asset(
    key=["green", "copy"],
    ins={"month": dg.AssetIn(dg.AssetKey(LAKE))},
    partitions_def=MONTHLY,
    io_manager_key="lake",
)
def green_copy(month: StoredMonth) -> LakeValue:
    return month


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("lake")
    got: dict[str, Any] = {}
    more = [reader(f"reads_{name}", LAKE, form, got) for name, form in FORMS.items()]
    more += [reader(f"reads_{name}s", LAKE, dict[str, form], got) for name, form in FORMS.items()]  # type: ignore[valid-type]
    more += [
        reader("rejects", LAKE, pa.Table, got, metadata={"part": "rejects"}),
        reader(
            "columns", LAKE, pd.DataFrame, got, metadata={"columns": ["tip_amount", "pickup_at"]}
        ),
        reader("no_such_column", LAKE, pa.Table, got, metadata={"columns": ["tip"]}),
        reader("raw_file", ["green", "raw_trips"], Path, got),
        reader("quarter", LAKE, pa.Table, got, partitions=QUARTERLY),
        reader("zones", ["lake_zones"], pd.DataFrame, got, partitions=None),
        reader("zones_by_none", ["lake_zones"], dict[str, pd.DataFrame], got, partitions=None),
        reader("a_list", LAKE, list, got),
        reader("months", LAKE, StoredMonth, got),
        reader("months_by_month", LAKE, dict[str, StoredMonth], got),
        reader("rejects_handle", LAKE, StoredFile, got, metadata={"part": "rejects"}),
        reader(
            "two_of_all",
            LAKE,
            pd.DataFrame,
            got,
            partitions=None,
            mapping=dg.SpecificPartitionsPartitionMapping(["2024-01", "2024-03"]),
        ),
    ]
    more.append(green_copy)
    with Simulator(folder / "site") as tlc:
        tlc.publish_zones()
        for month, rows in ROWS.items():
            tlc.publish("green", Month.parse(month), rows=rows)
        platform = Platform(folder / "home", tlc.url, more=more)
        for month in ROWS:
            result = platform.run("+key:green/lake_trips", month)
            assert result.success, failures(result)
        assert platform.run("key:lake_zones").success
    return Lake(platform, got)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("frame", pd.DataFrame),
        ("table", pa.Table),
        ("batches", pa.RecordBatchReader),
        ("path", PosixPath),
    ],
)
def test_a_month_has_the_type_of_the_annotation(lake: Lake, name: str, form: type) -> None:
    got = lake.run(f"reads_{name}", "2024-02")
    assert issubclass(got.form, form)
    assert _same_rows(got.rows, _published(lake, "2024-02"))


def test_a_handle_has_the_object_s_metadata_and_opens_on_demand(lake: Lake) -> None:
    handle = lake.run("reads_handle", "2024-02").value
    path = _file(lake, "2024-02")
    assert handle.object.uri == f"file://{path}"
    assert (handle.object.size, handle.rows) == (path.stat().st_size, _rows(path))
    assert handle.path() != path
    assert handle.path().read_bytes() == path.read_bytes()
    assert handle.version == handle.object.attributes[VERSION]


def test_a_stored_month_has_both_files(lake: Lake) -> None:
    month = lake.run("months", "2024-02").value
    assert (month.spec.name, month.month) == ("green", Month(2024, 2))
    assert month.trips.rows + month.rejects.rows == ROWS["2024-02"] == month.counts.published
    assert month.rejects == lake.run("rejects_handle", "2024-02").value
    assert month.version == lake.platform.version("green/lake_trips", "2024-02")


def test_a_dict_of_stored_months_has_each_month(lake: Lake) -> None:
    got = lake.run("months_by_month", *RANGE)
    assert {name: each.value.counts.published for name, each in got.items()} == ROWS


def test_a_users_asset_of_a_dataset_that_returns_a_month_has_its_trips(lake: Lake) -> None:
    for month in ("2024-01", "2024-02"):
        assert lake.platform.run("key:green/copy", month).success
    assert list(lake.platform.store.keys("assets/green/")) == [
        "assets/green/copy/2024-01.parquet",
        "assets/green/copy/2024-02.parquet",
    ]
    copied = lake.platform.store.get("assets/green/copy/2024-01.parquet", remedy="")
    assert copied.rows == _rows(_file(lake, "2024-01"))


@pytest.mark.parametrize("name", ["frame", "table", "batches"])
def test_several_months_are_concatenated_in_order(lake: Lake, name: str) -> None:
    got = lake.run(f"reads_{name}", *RANGE)
    assert _same_rows(got.rows, *(_published(lake, month) for month in ROWS))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("months", [("2024-03",), ("2024-01", "2024-03")])
def test_a_dict_has_a_value_per_month(lake: Lake, name: str, months: tuple[str, ...]) -> None:
    got = lake.run(f"reads_{name}s", *months)
    assert list(got) == (list(ROWS) if len(months) == 2 else ["2024-03"])
    for month, each in got.items():
        if name == "handle":
            assert each.value.object.uri == f"file://{_file(lake, month)}"
        else:
            assert _same_rows(each.rows, _published(lake, month))


@pytest.mark.parametrize(
    ("name", "form"),
    [("reads_path", "Path"), ("reads_handle", "StoredFile"), ("months", "StoredMonth")],
)
def test_a_single_path_or_handle_for_several_months_is_rejected(
    lake: Lake, name: str, form: str
) -> None:
    message = lake.error(name, *RANGE)
    assert f"{form} is one object and 3 partitions of green/lake_trips were requested" in message
    assert f"Annotate the input as dict[str, {form}]" in message


def test_the_rejects_of_a_month(lake: Lake) -> None:
    rejects = lake.run("rejects", "2024-01").rows
    assert rejects.num_rows == ROWS["2024-01"] - _rows(_file(lake, "2024-01")) > 0
    assert "reject_reasons" in rejects.column_names


def test_selected_columns_are_in_the_requested_order(lake: Lake) -> None:
    got = lake.run("columns", *RANGE)
    assert got.rows.column_names == ["tip_amount", "pickup_at"]
    assert got.rows.num_rows == sum(_rows(_file(lake, month)) for month in ROWS)


def test_the_error_for_an_unknown_column_names_it(lake: Lake) -> None:
    assert "There is no column tip. Choose from ['vendor_id'," in lake.error(
        "no_such_column", "2024-01"
    )


def test_a_raw_file_is_the_published_one(lake: Lake) -> None:
    got = lake.run("raw_file", "2024-01")
    assert got.rows.num_rows == ROWS["2024-01"]
    assert "lpep_pickup_datetime" in got.rows.column_names


def test_a_quarter_gets_its_three_months(lake: Lake) -> None:
    got = lake.run("quarter", "2024-01")
    assert _same_rows(got.rows, *(_published(lake, month) for month in ROWS))


def test_an_asset_without_partitions_gets_the_months_it_maps_to(lake: Lake) -> None:
    got = lake.run("two_of_all")
    assert set(got.value["source_month"].dt.strftime("%Y-%m")) == {"2024-01", "2024-03"}


def test_an_asset_without_partitions_is_one_object(lake: Lake) -> None:
    assert len(lake.run("zones").value) == 265


def test_a_dict_needs_partitions(lake: Lake) -> None:
    message = lake.error("zones_by_none")
    assert "The input lake_zones is annotated as a dict, but has no partitions" in message


def test_the_error_for_a_missing_month_names_the_key_and_the_asset_to_materialize(
    lake: Lake,
) -> None:
    message = lake.error("reads_frame", "2024-04")
    assert "lake/trips/green/year=2024/month=04/trips.parquet is not in the lake." in message
    assert "green/lake_trips for 2024-04 first." in message


def test_the_error_for_an_unsupported_annotation_lists_the_supported_ones(lake: Lake) -> None:
    message = lake.error("a_list", "2024-01")
    assert (
        "The input green/lake_trips is annotated List. Annotate it with one of pandas." in message
    )
    assert "StoredFile, StoredMonth" in message


def test_a_run_removes_its_temporary_files(lake: Lake) -> None:
    lake.run("reads_paths", *RANGE)
    assert lake.platform.scratch_files() == []


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
        writer("monthly_ten", value, form, "lake"),
        writer("whole_ten", value, form, "lake", monthly=False),
    ]
    platform = Platform(tmp_path, NO_SERVER, more=more)
    assert platform.run("key:monthly_ten", "2024-01").success
    assert platform.run("key:whole_ten").success
    for key in ("assets/monthly_ten/2024-01.parquet", "assets/whole_ten.parquet"):
        assert pq.read_table(platform.store.root / key).to_pydict() == TEN.to_pydict()
    assert platform.metadata("whole_ten")["dagster/partition_row_count"] == 10
    frame = platform.load(["monthly_ten"], pd.DataFrame, "2024-01")
    assert frame.dtypes.to_dict() == {"name": pd.StringDtype("pyarrow"), "number": pd.Int64Dtype()}
    assert platform.scratch_files() == []


def test_a_returned_file_is_not_moved(tmp_path: Path) -> None:
    """It may be an object in the lake itself, returned by an asset that read it."""
    mine = tmp_path / "mine.parquet"
    pq.write_table(TEN, mine)
    first = writer("from_path", lambda: mine, Path, "lake")

    def passed_on(from_path):  # type: ignore[no-untyped-def]  # the annotations are set below
        return from_path

    passed_on.__annotations__ = {"from_path": Path, "return": Path}
    second = dg.asset(partitions_def=MONTHLY, io_manager_key="lake")(passed_on)
    assert isinstance(second, dg.AssetsDefinition)
    home = tmp_path / "home"
    platform = Platform(home, NO_SERVER, more=[first, second])
    result = platform.run("key:from_path or key:passed_on", "2024-01")
    assert result.success, failures(result)
    for path in (
        mine,
        home / "lake/assets/from_path/2024-01.parquet",
        home / "lake/assets/passed_on/2024-01.parquet",
    ):
        assert pq.read_table(path) == TEN


def test_a_handle_is_copied_once_and_without_a_download(lake: Lake) -> None:
    handle = StoredFile(_stored(lake.platform, JANUARY), _refuse)
    more = [
        writer("copied", lambda: handle, StoredFile, "lake"),
        writer("redone", lambda: redone(handle, True), StoredFile, "lake"),
    ]
    platform = Platform(lake.platform.settings.home, NO_SERVER, more=more)
    assert platform.run("key:copied", "2024-01").success
    copied = platform.store.root / "assets/copied/2024-01.parquet"
    assert pq.read_table(copied) == _published(lake, "2024-01")
    assert "lake" not in platform.metadata("copied", "2024-01")

    for _ in range(2):
        assert platform.run("key:copied", "2024-01").success
        assert platform.metadata("copied", "2024-01")["lake"] == IN_PLACE
        assert platform.run("key:redone", "2024-01").success
        assert "lake" not in platform.metadata("redone", "2024-01")


def test_a_handle_with_other_content_replaces_the_object(lake: Lake) -> None:
    handles = [
        StoredFile(_stored(lake.platform, JANUARY.replace("01", month[-2:])), _refuse)
        for month in ROWS
    ]
    more = [writer("latest", lambda: handles.pop(0), StoredFile, "lake")]
    platform = Platform(lake.platform.settings.home, NO_SERVER, more=more)
    for month in ROWS:
        assert platform.run("key:latest", "2024-01").success
        latest = platform.store.root / "assets/latest/2024-01.parquet"
        assert pq.read_table(latest) == _published(lake, month)


def test_a_handle_of_the_asset_s_own_object_is_not_copied(tmp_path: Path) -> None:
    mine = _new_file(tmp_path)
    platform = Platform(tmp_path, NO_SERVER, more=[writer("mine", mine, LakeValue, "lake")])
    assert platform.run("key:mine", "2024-01").success
    before = _stored(platform, "assets/mine/2024-01.parquet")
    assert pq.read_table(platform.store.root / before.key) == TEN

    again = writer("mine", lambda: StoredFile(before, _refuse), LakeValue, "lake")
    platform = Platform(tmp_path, NO_SERVER, more=[again])
    assert platform.run("key:mine", "2024-01").success
    assert platform.metadata("mine", "2024-01")["lake"] == IN_PLACE
    assert _stored(platform, before.key) == before


def test_a_new_file_does_not_replace_an_object_that_another_run_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taxi_assets.failures, "_STEP_RETRY_SECONDS", 0.01)
    mine = _new_file(tmp_path)
    platform = Platform(tmp_path, NO_SERVER, more=[writer("mine", mine, LakeValue, "lake")])
    assert platform.run("key:mine", "2024-01").success
    result = platform.run("key:mine", "2024-01")
    assert facts(result).error == "ConcurrentWrite"
    assert retried(result) == ["mine"] * 2


def test_several_partitions_are_stored_one_by_one(tmp_path: Path) -> None:
    values = {month: TEN.slice(0, int(month[-1])) for month in ROWS}
    more = [
        writer("by_month", lambda: values, dict[str, pa.Table], "lake"),
        writer("in_one", lambda: TEN, pa.Table, "lake"),
    ]
    platform = Platform(tmp_path, NO_SERVER, more=more)
    result = platform.run("key:by_month", *RANGE)
    assert result.success, failures(result)
    for month, value in values.items():
        assert pq.read_table(platform.store.root / f"assets/by_month/{month}.parquet") == value

    several = Lake(platform, {}).error("in_one", *RANGE)
    assert "in_one returned one Table in a run over 3 partitions (2024-01 to 2024-03)" in several
    assert "Return a dict with a value per partition" in several
    short = Lake(platform, {}).error("by_month", "2024-01", "2024-02")
    assert "by_month returned values for 2024-01, 2024-02, 2024-03 in a run over" in short
    assert list(platform.store.keys("assets/in_one")) == []


def test_a_value_without_rows_is_rejected(tmp_path: Path) -> None:
    more = [writer("a_number", lambda: 7, int, "lake")]
    platform = Platform(tmp_path, NO_SERVER, more=more)
    message = Lake(platform, {}).error("a_number", "2024-01")
    assert "An asset returned int, which cannot be stored. Return a pandas.DataFrame" in message


def _stored(platform: Platform, key: str) -> LakeObject:
    found = platform.store.find(key)
    assert found
    return found


def _new_file(folder: Path) -> Callable[[], LakeValue]:
    """The body of an asset that returns a new file which replaces no object."""

    def made() -> LakeValue:
        path = folder / "made.parquet"
        pq.write_table(TEN, path)
        return NewFile(finished(path, {}), before=None)

    return made


def _refuse(stored: LakeObject) -> Path:
    raise AssertionError(f"{stored.uri} was downloaded")


def _file(lake: Lake, month: str) -> Path:
    year, number = month.split("-")
    return lake.platform.store.root / f"trips/green/year={year}/month={number}/trips.parquet"


def _published(lake: Lake, month: str) -> pa.Table:
    return pq.ParquetFile(_file(lake, month)).read()


def _rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def _same_rows(found: pa.Table, *months: pa.Table) -> bool:
    wanted = pa.concat_tables(months)
    assert found.column_names == wanted.column_names
    assert found.cast(wanted.schema) == wanted
    return True
