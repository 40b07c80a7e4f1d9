"""Checks of stored months are steps of their own, run again without materializing anything."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Self

import dagster as dg
import duckdb
import pytest

from taxi_assets.assets import resources, stored_checks
from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets.warehouse.io_manager import WarehouseTable
from taxi_assets_tests.assets.platform import (
    FOUR,
    Platform,
    check_results,
    failures,
)
from taxi_assets_tests.mirror import mirror_of

JANUARY = Month(2024, 1)
RECONCILED = ("green/warehouse_trips", "reconciled")
OVERDUE = ("green/warehouse_trips", "overdue_months")


@pytest.mark.parametrize(
    ("trusted", "passed", "text"),
    [
        ("2024-01,300,", True, "300 rows published (origin: mirror), which is the trusted count."),
        (
            "2024-01,301,",
            False,
            "300 rows published (origin: mirror) in a file last modified on 2024-08-22; the "
            "trusted count is 301, of a file of an unknown date. A reissue may differ",
        ),
        (
            "2024-01,301,2024-03-20",
            False,
            "300 rows published (origin: mirror) in a file last modified on 2024-08-22; the "
            "trusted count is 301, of a file last modified on 2024-03-20. A reissue may differ",
        ),
        # The package's own count.
        (None, False, "the trusted count is 56,551, of a file last modified on 2024-03-21. "),
    ],
)
def test_a_count_that_differs_from_the_trusted_one_is_a_warning(
    trusted: str | None, passed: bool, text: str, tmp_path: Path, tlc: Simulator
) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text(f"dataset,month,rows,published\ngreen,{trusted}\n")
    reissued = datetime(2024, 8, 22, tzinfo=UTC).timestamp()
    os.utime(tlc.publish("green", JANUARY, rows=300), (reissued, reissued))
    with mirror_of(tmp_path / "site") as url:
        setting = str(counts) if trusted else ""
        platform = Platform(tmp_path / "home", url, TAXI_ROW_COUNTS=setting)
        loaded = platform.month("green", "2024-01")
    assert platform.counts() == {"2024-01": 300}  # whatever the count
    (of_run,) = (
        each for each in loaded.get_asset_check_evaluations() if each.check_name == "published_rows"
    )
    again = _evaluation(platform.check("green/raw_trips", "published_rows", "2024-01"))
    for evaluation in (of_run, again):
        assert text in str(evaluation.description)
        assert evaluation.passed is passed
        assert passed or evaluation.severity is dg.AssetCheckSeverity.WARN
        assert not evaluation.blocking


def test_a_month_whose_count_is_unknown_is_not_compared(
    tmp_path: Path, tlc: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "packaged_counts", dict)
    tlc.publish("green", JANUARY, rows=300)
    with mirror_of(tmp_path / "site") as url:
        platform = Platform(tmp_path / "home", url)
        evaluation = _evaluation(platform.run("key:green/raw_trips", "2024-01"))
    assert evaluation.passed
    assert evaluation.description == (
        "300 rows published (origin: mirror); no trusted count to compare with."
    )


def test_generated_months_are_not_compared(tmp_path: Path, tlc: Simulator) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("dataset,month,rows\ngreen,2024-01,301\n")
    tlc.publish("green", JANUARY, rows=300)
    for setting in ("", str(counts)):
        platform = Platform(tmp_path / "home", tlc.url, TAXI_ROW_COUNTS=setting)
        evaluation = _evaluation(platform.run("key:green/raw_trips", "2024-01"))
        assert evaluation.passed
        assert evaluation.description == "300 rows; generated, not compared."


@pytest.mark.parametrize("part", ["trips", "rejects"])
def test_a_row_that_is_missing_from_the_warehouse_fails_the_check(
    part: str, tlc: Simulator, platform: Platform
) -> None:
    tlc.publish("green", JANUARY, rows=300)
    tlc.publish("green", JANUARY.plus(1), rows=300)
    platform.month("green", "2024-01", "2024-02")
    before = _materializations(platform)
    with duckdb.connect(str(platform.warehouse)) as connection:
        (lost,) = connection.execute(
            f"DELETE FROM green_{part} WHERE rowid = (SELECT min(rowid) FROM green_{part} "
            "WHERE source_month = '2024-01-01')"
        ).fetchall()
    assert lost == (1,)

    result = platform.check(*RECONCILED, "2024-01")
    evaluation = _evaluation(result)
    assert not evaluation.passed
    in_lake = evaluation.metadata[f"{part} in lake"].value
    assert evaluation.metadata[f"{part} in warehouse"].value == int(str(in_lake)) - 1
    assert f"green_{part}: {in_lake:,} in the lake, " in str(evaluation.description)
    assert platform.check_status(*RECONCILED) == {"2024-01": "FAILED", "2024-02": "SUCCEEDED"}

    redo = {"green/warehouse_trips": {"redo": True}}
    assert platform.run("key:green/warehouse_trips", "2024-01", config=redo).success
    assert _evaluation(platform.check(*RECONCILED, "2024-01")).passed
    assert platform.check_status(*RECONCILED) == dict.fromkeys(("2024-01", "2024-02"), "SUCCEEDED")
    # Only the reloaded asset was materialized again.
    assert _materializations(platform) == {**before, "warehouse_trips": 3}


def test_a_check_of_a_month_that_is_not_loaded_fails_with_what_to_do(platform: Platform) -> None:
    result = platform.check(*RECONCILED, "2024-01")
    assert not result.success
    assert "green/lake_trips for 2024-01" in failures(result)
    assert platform.scratch_files() == []


def test_rows_are_counted_wherever_a_month_is_stored(tlc: Simulator, platform: Platform) -> None:
    tlc.publish("green", JANUARY, rows=300)
    platform.month("green", "2024-01")
    result = platform.run("key:green/stored_rows", "2024-01")
    assert result.success, failures(result)
    (trips,), (rejects,) = (
        platform.query(f"SELECT count(*) FROM green_{part}")[0] for part in ("trips", "rejects")
    )
    assert trips + rejects == 300
    assert rejects > 0
    assert platform.metadata("green/stored_rows", "2024-01") == {
        "published": 300,
        "clean": trips,
        "rejected": rejects,
        "trips in lake": trips,
        "rejects in lake": rejects,
        "trips in warehouse": trips,
        "rejects in warehouse": rejects,
    }
    # It stores no value, so nothing is pickled.
    handled = dg.DagsterEventType.HANDLED_OUTPUT
    assert [each for each in result.all_events if each.event_type is handled] == []

    with duckdb.connect(str(platform.warehouse)) as connection:
        connection.execute("DELETE FROM green_rejects")
    assert platform.run("key:green/stored_rows", "2024-01").success
    assert platform.check_status("green/stored_rows", "reconciled") == {"2024-01": "FAILED"}
    assert platform.check_status("green/stored_rows", "published_rows") == {"2024-01": "SUCCEEDED"}
    counted = platform.metadata("green/stored_rows", "2024-01")
    assert (counted["rejects in warehouse"], counted["rejects in lake"]) == (0, rejects)


@pytest.mark.parametrize(
    ("loaded", "today", "text"),
    [
        ("2024-01 2024-02 2024-03", (2024, 6, 5), None),
        (
            "2024-01 2024-02 2024-03",
            (2024, 7, 5),
            "green 2024-04 should be loaded and is not.",
        ),
        (
            "2024-01 2024-03 2024-08",
            (2024, 12, 20),
            "green 2024-02, 2024-04 to 2024-07, 2024-09 should be loaded and are not.",
        ),
        ("2024-01", (2024, 4, 4), None),
        ("", (2024, 12, 20), None),
    ],
)
def test_overdue_months_are_named_in_ranges(
    loaded: str,
    today: tuple[int, int, int],
    text: str | None,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _load(monkeypatch, loaded.split())
    _today(monkeypatch, *today)
    result = platform.check(*OVERDUE)
    assert result.success
    evaluation = _evaluation(result)
    assert (evaluation.passed, evaluation.partition, evaluation.blocking) == (
        text is None,
        None,
        False,
    )
    assert str(evaluation.description).startswith(text or "No month is overdue.")
    if text:
        assert evaluation.severity is dg.AssetCheckSeverity.WARN
        assert "green_months" in str(evaluation.description)


def test_the_lag_of_overdue_months_is_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(monkeypatch, ["2024-01"])
    _today(monkeypatch, 2024, 5, 5)
    for lag, passed in (("2", False), ("3", True)):
        platform = Platform(tmp_path, "http://127.0.0.1:1", TAXI_SCHEDULE_LAG_MONTHS=lag)
        assert check_results(platform.check(*OVERDUE)) == {OVERDUE: passed}


def _evaluation(result: dg.JobExecutionResult) -> dg.AssetCheckEvaluation:
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def _materializations(platform: Platform) -> dict[str, int]:
    """The number of materializations of each of the four assets."""
    return {
        name: len(
            platform.instance.fetch_materializations(
                dg.AssetKey(["green", name]), limit=100
            ).records
        )
        for name in FOUR
    }


def _load(monkeypatch: pytest.MonkeyPatch, months: Collection[str]) -> None:
    """Make the warehouse report those months as loaded."""
    monkeypatch.setattr(WarehouseTable, "months", lambda _: [Month.parse(each) for each in months])


def _today(monkeypatch: pytest.MonkeyPatch, *day: int) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(day[0], day[1], day[2], tzinfo=tz or UTC)

    monkeypatch.setattr(stored_checks, "datetime", Clock)
