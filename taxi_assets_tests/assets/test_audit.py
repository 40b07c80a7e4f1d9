"""A failed audit records its check results and neither stores nor materializes the month."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.assets import checks
from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import (
    FOUR,
    Platform,
    check_results,
    facts,
    failed_steps,
    month_assets,
)

GREEN = DATASETS["green"]
RAW = "raw/green/green_tripdata_2024-01.parquet"
SHARE = ("green/clean_trips", "reject_share")


@pytest.fixture
def platform(tmp_path: Path, tlc: Simulator) -> Platform:
    """With one month at TLC that contains a row to reject."""
    tlc.publish("green", Month(2024, 1), rows=300)
    return Platform(tmp_path / "home", tlc.url)


def test_the_check_results_are_recorded_and_nothing_is_stored(platform: Platform) -> None:
    result = _audited(platform, max_reject_share=0)

    assert failed_steps(result) == ["green__clean_trips"]
    assert check_results(result) == {
        ("green/raw_trips", "published_rows"): True,
        ("green/clean_trips", "row_count"): True,
        ("green/clean_trips", "reconciled"): True,
        SHARE: False,
        ("green/clean_trips", "pickup_present"): True,
        ("green/clean_trips", "neighbouring_months"): True,
    }
    assert platform.check_status(*SHARE) == {"2024-01": "FAILED"}
    assert set(platform.everything_stored()) == {RAW}
    for name in FOUR[1:]:
        assert platform.materialized(f"green/{name}") == set()
    assert not platform.warehouse.exists()
    assert platform.scratch_files() == []


def test_the_failure_states_what_happened_and_what_to_do(platform: Platform) -> None:
    why = facts(_audited(platform, max_reject_share=0))
    assert (why.month, why.asset, why.error) == ("2024-01", "green/clean_trips", "AuditFailed")
    assert "reject_share: " in why.happened
    assert (
        "% of the rows are rejected, 0.000% are allowed; most frequent reason: pickup_far"
        in why.happened
    )
    assert "pickup_present" not in why.happened
    assert "max_reject_share in the configuration of clean_trips" in why.remedy


def test_the_same_file_fails_again_until_the_bound_is_raised(platform: Platform) -> None:
    for _ in range(2):
        assert not _audited(platform, max_reject_share=0).success
        assert platform.check_status(*SHARE) == {"2024-01": "FAILED"}
    assert _audited(platform, max_reject_share=0.5).success
    assert platform.check_status(*SHARE) == {"2024-01": "SUCCEEDED"}
    assert platform.counts() == {"2024-01": 300}

    # A stored and unchanged month still fails a bound that it exceeds.
    assert not _audited(platform, max_reject_share=0).success
    assert platform.check_status(*SHARE) == {"2024-01": "FAILED"}


def test_a_reissue_that_fails_its_audit_keeps_the_stored_month(
    platform: Platform, tlc: Simulator
) -> None:
    platform.month("green", "2024-01")
    before = platform.everything_stored()
    tlc.publish("green", Month(2024, 1), rows=280, seed=1)
    assert not _audited(platform, max_reject_share=0).success

    after = platform.everything_stored()
    assert {key for key, stored in after.items() if stored != before.get(key)} == {RAW}
    assert platform.counts() == {"2024-01": 300}
    # The failed version is not published when the next asset is run alone either.
    assert platform.run("key:green/lake_trips+", "2024-01").success
    assert platform.everything_stored() == after
    assert platform.counts() == {"2024-01": 300}


@pytest.mark.parametrize(
    ("clean", "rejected", "missing", "failed"),
    [
        (98, 2, 0, None),
        (97, 2, 0, "reconciled"),
        (98, 3, 0, "reject_share"),
        (98, 2, 1, "pickup_present"),
    ],
)
def test_each_check_fails_for_its_own_condition(
    clean: int, rejected: int, missing: int, failed: str | None
) -> None:
    published = 101 if failed == "reject_share" else 100
    counts = MonthCounts(published, clean, rejected, {"pickup_missing": rejected}, {}, ())
    results = checks.audit(GREEN, counts, missing, published, 0.02, 0.02, checks.ExpectedRows())
    assert [each.check_name for each in results if not each.passed] == ([failed] if failed else [])
    assert {each.check_name for each in results} == {
        spec.name for spec in checks.audit_specs(GREEN)
    }


def test_rejects_of_an_unmeasured_era_warn_and_the_month_is_loaded(
    tmp_path: Path, tlc: Simulator
) -> None:
    """Of 60 generated rows more than one percent is rejected."""
    platform = Platform(tmp_path / "home", tlc.url)
    for month, loads in (("2018-12", True), ("2019-01", False)):
        tlc.publish("yellow", Month.parse(month), rows=60)
        result = platform.run(month_assets("yellow"), month)
        assert result.success == loads
        assert check_results(result)["yellow/clean_trips", "reject_share"] is False
    assert set(platform.counts("yellow")) == {"2018-12"}
    # A bound that a person sets is one.
    config = {"yellow/clean_trips": {"max_reject_share": 0.001}}
    assert not platform.run(month_assets("yellow"), "2018-12", config=config).success


@pytest.mark.parametrize(
    ("dataset", "month", "rejected", "severity"),
    [
        ("yellow", "2009-01", 50, dg.AssetCheckSeverity.WARN),
        ("yellow", "2018-12", 2, dg.AssetCheckSeverity.WARN),
        ("yellow", "2018-12", 51, dg.AssetCheckSeverity.ERROR),
        ("yellow", "2019-01", 2, dg.AssetCheckSeverity.ERROR),
        ("fhv", "2015-01", 6, dg.AssetCheckSeverity.WARN),
        ("fhv", "2019-01", 6, dg.AssetCheckSeverity.ERROR),
        ("green", "2014-01", 2, dg.AssetCheckSeverity.ERROR),
    ],
)
def test_the_bound_on_rejects_depends_on_the_era(
    dataset: str, month: str, rejected: int, severity: dg.AssetCheckSeverity
) -> None:
    spec = DATASETS[dataset]
    counts = MonthCounts(100, 100 - rejected, rejected, {"pickup_missing": rejected}, {}, ())
    blocking = spec.blocking_reject_share(Month.parse(month))
    results = checks.audit(
        spec, counts, 0, 100, spec.max_reject_share, blocking, checks.ExpectedRows()
    )
    (found,) = (each for each in results if not each.passed)
    assert (found.check_name, found.severity) == ("reject_share", severity)


def test_missing_pickups_are_counted_in_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "trips.parquet"
    times = pa.array([None, 1, None, 2], pa.timestamp("us"))
    pq.write_table(pa.table({"vendor_id": [1, None, 2, 2], "pickup_at": times}), path)
    assert checks.missing_pickups(GREEN, path) == 2


def _audited(platform: Platform, *, max_reject_share: float) -> dg.JobExecutionResult:
    config = {"green/clean_trips": {"max_reject_share": max_reject_share}}
    return platform.run(month_assets("green"), "2024-01", config=config)
