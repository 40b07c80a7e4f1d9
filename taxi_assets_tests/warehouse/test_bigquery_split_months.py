"""BigQuery loads two tables by two jobs: a month of which only one was loaded is split."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.errors import AuditFailed, ConcurrentWrite
from taxi_assets.warehouse import bigquery_load
from taxi_assets.warehouse.base import Load
from taxi_assets.warehouse.bigquery import BigQueryWarehouse
from taxi_assets.warehouse.bigquery_months import BigQueryMonths
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets_tests.warehouse.months import FEBRUARY, JANUARY, REJECTS, TRIPS, parquet, trips

TABLES = ["green_trips", "green_rejects"]


class Killed(BaseException):
    """Nothing in the process runs after it, as after SIGKILL."""


@pytest.fixture
def warehouse(bigquery_url: str) -> BigQueryWarehouse:
    opened = open_warehouse(bigquery_url)
    assert isinstance(opened, BigQueryWarehouse)
    return opened


def _load(warehouse: BigQueryWarehouse, folder: Path, version: str, month: Month = JANUARY) -> None:
    rejects = parquet(folder, trips([1], month), REJECTS)
    source = parquet(folder, trips([1, 2], month))
    warehouse.replace([Load(REJECTS, rejects, version), Load(TRIPS, source, version)], month)


def _killed_before(name: str, at: int) -> Callable[..., Any]:
    """A method of ``BigQueryMonths`` in which the process is killed at the ``at``-th call."""
    original, calls = getattr(BigQueryMonths, name), []

    def method(self: BigQueryMonths, *arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == at:
            raise Killed
        return original(self, *arguments)

    return method


def test_whole_months_are_not_split(warehouse: BigQueryWarehouse, tmp_path: Path) -> None:
    assert warehouse.split_months(TABLES) == {}
    for version in ("a", "b"):
        _load(warehouse, tmp_path, version)
        _load(warehouse, tmp_path, version, FEBRUARY)
        assert warehouse.split_months(TABLES) == {}
    warehouse.require_whole(TABLES, [JANUARY, FEBRUARY])


@pytest.mark.parametrize("at", [1, 2])
def test_a_month_whose_run_was_killed_before_a_record_is_split_until_it_is_loaded_again(
    warehouse: BigQueryWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    _load(warehouse, tmp_path, "a")
    _load(warehouse, tmp_path, "a", FEBRUARY)
    with monkeypatch.context() as patch:
        patch.setattr(BigQueryMonths, "record", _killed_before("record", at))
        with pytest.raises(Killed):
            _load(warehouse, tmp_path, "b")
    split = warehouse.split_months(TABLES)
    assert set(split) == {JANUARY}
    assert "green_trips: load begun and not finished" in split[JANUARY]
    with pytest.raises(ConcurrentWrite, match="2024-01 in different versions"):
        warehouse.require_whole(TABLES, [JANUARY])
    warehouse.require_whole(TABLES, [FEBRUARY])
    _load(warehouse, tmp_path, "b")
    assert warehouse.split_months(TABLES) == {}


def test_of_two_runs_at_once_the_last_to_finish_finds_the_month_split(
    warehouse: BigQueryWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run b replaces both tables between the two loads of run a."""
    recorded: list[Load] = []
    original = BigQueryMonths.record

    def record(self: BigQueryMonths, load: Load, *arguments: Any) -> None:
        original(self, load, *arguments)
        if not recorded:
            recorded.append(load)
            _load(warehouse, tmp_path, "b")

    monkeypatch.setattr(BigQueryMonths, "record", record)
    with pytest.raises(ConcurrentWrite, match="green_trips: a"):
        _load(warehouse, tmp_path, "a")
    assert set(warehouse.split_months(TABLES)) == {JANUARY}
    _load(warehouse, tmp_path, "a")  # the step is retried
    assert warehouse.split_months(TABLES) == {}


def test_a_load_that_fails_leaves_the_month_whole(
    warehouse: BigQueryWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(warehouse, tmp_path, "a")

    def failing(*_: object) -> None:
        raise AuditFailed("The job failed.")

    with monkeypatch.context() as patch:
        patch.setattr(bigquery_load, "start_load", failing)
        with pytest.raises(AuditFailed):
            _load(warehouse, tmp_path, "b")
    assert warehouse.split_months(TABLES) == {}
    loaded = warehouse.loaded("green_trips", JANUARY)
    assert loaded is not None
    assert loaded.version == "a"
