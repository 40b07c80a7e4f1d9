"""The BigQuery IO manager: Dagster's class and configuration, months replaced by load jobs."""

from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster_gcp import BigQueryIOManager
from dagster_gcp_pandas import BigQueryPandasTypeHandler

from taxi_assets.datasets.month import Month
from taxi_assets.errors import Misconfigured
from taxi_assets.gcp_clients import GoogleBigQuery, GoogleStorage
from taxi_assets.warehouse.base import Warehouse
from taxi_assets.warehouse.bigquery_io_manager import BigQueryWarehouseIOManager
from taxi_assets.warehouse.factory import open_warehouse

MONTHS = dg.MonthlyPartitionsDefinition("2024-01", end_date="2024-04", fmt="%Y-%m")
FRAMES: dict[str, pd.DataFrame] = {}
SEEN: list[pd.DataFrame] = []


@dg.asset(partitions_def=MONTHS, io_manager_key="warehouse")
def fares(context: dg.AssetExecutionContext) -> pd.DataFrame:
    return FRAMES[context.partition_key]


@dg.asset(partitions_def=MONTHS, io_manager_key="warehouse")
def tips(fares: pd.DataFrame) -> pd.DataFrame:
    SEEN.append(fares)
    return fares.assign(tip=fares["fare"] * 0.2).drop(columns="source_month")


@pytest.fixture
def settings(bigquery_url: str) -> dict[str, Any]:
    project, _, dataset = bigquery_url.removeprefix("bigquery://").partition("/")
    clients = {"bigquery": GoogleBigQuery(project=project), "gcs": GoogleStorage()}
    return {"project": project, "dataset": dataset, **clients}


@pytest.fixture
def warehouse(bigquery_url: str) -> Warehouse:
    return open_warehouse(bigquery_url)


def _materialize(settings: dict[str, Any], month: str, *frames: pd.DataFrame) -> None:
    for frame in frames:
        FRAMES[month] = frame
        resources = {"warehouse": BigQueryWarehouseIOManager(**settings)}
        assert dg.materialize([fares, tips], partition_key=month, resources=resources).success


def test_it_is_dagster_s_io_manager_with_its_pandas_handler(settings: dict[str, Any]) -> None:
    manager = BigQueryWarehouseIOManager(**settings)
    assert isinstance(manager, BigQueryIOManager)
    assert [type(each) for each in manager.type_handlers()] == [BigQueryPandasTypeHandler]
    assert manager.default_load_type() is pd.DataFrame


def test_a_frame_is_stored_and_loaded(settings: dict[str, Any], warehouse: Warehouse) -> None:
    frame = pd.DataFrame(
        {"at": [pd.Timestamp("2024-01-05 06:07:08.123456"), pd.NaT], "fare": [1.5, None]}
    )
    _materialize(settings, "2024-01", frame, frame)
    assert SEEN[-1]["at"].tolist()[0] == pd.Timestamp("2024-01-05 06:07:08.123456")
    with warehouse.read("tips", months=[Month(2024, 1)], columns=None) as reader:
        rows = reader.read_all().to_pydict()
    assert list(rows) == ["at", "fare", "tip", "source_month"]
    assert sorted(rows["fare"], key=str) == [1.5, None]


def test_an_empty_frame_makes_an_empty_month(
    settings: dict[str, Any], warehouse: Warehouse
) -> None:
    frame = pd.DataFrame({"fare": [1.5, 2.5]})
    _materialize(settings, "2024-02", frame)
    _materialize(settings, "2024-01", frame, frame.iloc[:0])
    assert warehouse.count("fares", Month(2024, 1)) == 0
    assert warehouse.count("fares", Month(2024, 2)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"write_mode": "append"},
        {"timeout": 5.0},
        {"gcp_credentials": "a2V5"},
        {"temporary_gcs_bucket": "b"},
        {"dataset": None},
    ],
)
def test_settings_that_do_not_apply_are_rejected(
    settings: dict[str, Any], wrong: dict[str, Any]
) -> None:
    manager = BigQueryWarehouseIOManager(**{**settings, **wrong})
    with pytest.raises(Misconfigured, match=next(iter(wrong))):
        manager.create_io_manager(dg.build_init_resource_context())
