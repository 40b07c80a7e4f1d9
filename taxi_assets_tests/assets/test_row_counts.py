"""A month is not replaced by an empty or a far shorter file, unless that is known to be right."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from taxi_assets.assets import checks
from taxi_assets.assets.checks import ExpectedRows
from taxi_assets.assets.resources import Limits
from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.month import Month
from taxi_assets.row_counts import packaged_counts
from taxi_assets.simulator.publisher import trip_file
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform, check_results, facts, month_assets
from taxi_assets_tests.mirror import mirror_of
from taxi_assets_tests.test_commands import command

GREEN = DATASETS["green"]
MONTH = Month(2024, 1)
CHECK = ("green/clean_trips", "row_count")


@pytest.fixture
def platform(tmp_path: Path, tlc: Simulator) -> Platform:
    """With a stored month of 200 rows."""
    tlc.publish("green", MONTH, rows=200)
    platform = Platform(tmp_path / "home", tlc.url)
    platform.month("green", "2024-01")
    return platform


@pytest.mark.parametrize("rows", [0, 1, 99])
def test_an_empty_or_shrunken_reissue_keeps_the_stored_month(
    platform: Platform, tmp_path: Path, rows: int
) -> None:
    before = platform.everything_stored()
    _reissue(tmp_path, rows)
    result = platform.run(month_assets("green"), "2024-01")

    assert check_results(result)[CHECK] is False
    why = facts(result)
    assert (why.asset, why.error) == ("green/clean_trips", "AuditFailed")
    assert "the stored version has 200, of which 50% must be reached" in why.happened
    assert f"set accept_rows to {rows} in the configuration of clean_trips" in why.remedy
    assert f"--datasets green --months 2024-01 --accept-rows {rows}" in why.remedy
    after = platform.everything_stored()
    assert {key for key in after if after[key] != before.get(key)} <= {
        "raw/green/green_tripdata_2024-01.parquet"
    }
    assert platform.counts() == {"2024-01": 200}


@pytest.mark.parametrize("rows", [0, 1])
def test_a_person_accepts_it_in_the_configuration(
    platform: Platform, tmp_path: Path, rows: int
) -> None:
    _reissue(tmp_path, rows)
    assert not _accepting(platform, rows + 1).success, "another number of rows"
    assert _accepting(platform, rows).success
    assert platform.counts() == ({"2024-01": rows} if rows else {})
    # It is stored now, and neither running it again nor the next reissue needs the configuration.
    platform.month("green", "2024-01")
    _reissue(tmp_path, 200)
    platform.month("green", "2024-01")
    assert platform.counts() == {"2024-01": 200}


def test_a_person_accepts_it_on_the_command_line(tmp_path: Path, tlc: Simulator) -> None:
    tlc.publish_zones()
    tlc.publish("green", MONTH, rows=200)
    run = ("run", "--datasets", "green", "--months", "2024-01")
    assert command(tmp_path, *run, TAXI_TLC_URL=tlc.url).returncode == 0
    _reissue(tmp_path, 1)
    refused = command(tmp_path, *run, TAXI_TLC_URL=tlc.url)
    assert refused.returncode == 1
    assert "row_count: 1 row; the stored version has 200" in refused.stderr
    assert "--accept-rows 1" in refused.stderr
    accepted = command(tmp_path, *run, "--accept-rows", "1", TAXI_TLC_URL=tlc.url)
    assert accepted.returncode == 0, accepted.stderr
    months = ("run", "--datasets", "green", "--months", "2024-01:2024-02", "--accept-rows", "1")
    several = command(tmp_path, *months, TAXI_TLC_URL=tlc.url)
    assert (several.returncode, "one month of one dataset" in several.stderr) == (2, True)


def test_the_trusted_count_of_the_file_accepts_it(tmp_path: Path, tlc: Simulator) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("dataset,month,rows\ngreen,2024-01,1\n")
    tlc.publish("green", MONTH, rows=200)
    with mirror_of(tmp_path / "site") as url:
        Platform(tmp_path / "home", url).month("green", "2024-01")
        _reissue(tmp_path, 1)
        trusting = Platform(tmp_path / "home", url, TAXI_ROW_COUNTS=str(counts))
        trusting.month("green", "2024-01")
    assert trusting.counts() == {"2024-01": 1}


@pytest.mark.parametrize("origin", ["tlc", "mirror"])
def test_the_packaged_count_accepts_a_published_file_and_refuses_none(origin: str) -> None:
    trusted = Limits().trusted_count(GREEN, MONTH, origin)
    assert trusted is not None
    shrunk = ExpectedRows(replaced=200_000, trusted=trusted.rows)
    assert shrunk.allows(56_551)
    assert not shrunk.allows(56_550)
    # A reissue has whatever rows it has, and an outdated count does not stop it.
    for rows in (1, 39_156, 56_552, 10**7):
        assert ExpectedRows(trusted=trusted.rows).allows(rows)
    assert not ExpectedRows(trusted=trusted.rows).allows(0)


@pytest.mark.parametrize("origin", ["simulator", None])
def test_a_file_that_is_not_known_to_be_tlcs_has_no_trusted_count(
    origin: str | None, tmp_path: Path
) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("dataset,month,rows\ngreen,2024-01,1\n")
    for setting in (None, str(counts)):
        assert Limits(row_counts=setting).trusted_count(GREEN, MONTH, origin) is None


def test_the_setting_adds_newer_counts_and_replaces_the_packages(tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("dataset,month,rows\ngreen,2026-06,39156\ngreen,2027-01,7\n")
    limits = Limits(row_counts=str(counts))
    known = {
        str(month): trusted.rows
        for month in (Month(2024, 1), Month(2026, 6), Month(2027, 1), Month(2027, 2))
        if (trusted := limits.trusted_count(GREEN, month, "tlc"))
    }
    assert known == {"2024-01": 56_551, "2026-06": 39_156, "2027-01": 7}


def test_the_packaged_counts_are_those_of_the_real_files(real_tlc: Path) -> None:
    files = sorted((real_tlc / "trip-data").glob("*_tripdata_*.parquet"))
    assert len(files) == 13
    for path in files:
        name, _, month = path.stem.split("_")
        count = packaged_counts()[name, Month.parse(month)]
        assert count.rows == pq.read_metadata(path).num_rows, path.name


def test_the_packaged_counts_are_those_that_were_collected(real_tlc: Path) -> None:
    rows, days = (
        {
            (line["dataset"], line["month"]): line[column]
            for line in csv.DictReader((real_tlc / "reference" / name).read_text().splitlines())
        }
        for name, column in (
            ("published_rows.csv", "rows"),
            ("tlc_file_facts.csv", "last_modified"),
        )
    )
    assert len(rows) == 589
    assert {
        (name, str(month)): (str(count.rows), str(count.published or ""))
        for (name, month), count in packaged_counts().items()
    } == {key: (count, days.get(key, "")[:10]) for key, count in rows.items()}


def test_a_reissue_of_half_the_rows_is_loaded(platform: Platform, tmp_path: Path) -> None:
    _reissue(tmp_path, 100)
    platform.month("green", "2024-01")
    assert platform.counts() == {"2024-01": 100}


def test_an_empty_file_is_refused_the_first_time_too(tmp_path: Path, tlc: Simulator) -> None:
    tlc.publish("green", MONTH, rows=200)
    _reissue(tmp_path, 0)
    platform = Platform(tmp_path / "home", tlc.url)
    assert facts(platform.run(month_assets("green"), "2024-01")).error == "AuditFailed"
    assert _accepting(platform, 0).success


def test_a_month_far_from_its_neighbour_is_loaded_with_a_warning(
    platform: Platform, tlc: Simulator
) -> None:
    tlc.publish("green", Month(2024, 2), rows=500)
    result = platform.month("green", "2024-02")
    (check,) = (
        each
        for each in result.get_asset_check_evaluations()
        if each.check_name == "neighbouring_months"
    )
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.description == "500 rows; 2024-01 has 200."
    assert platform.counts() == {"2024-01": 200, "2024-02": 500}


def test_the_whole_true_history_passes_and_six_steps_of_it_warn(real_tlc: Path) -> None:
    rows: dict[str, dict[Month, int]] = defaultdict(dict)
    with (real_tlc / "reference" / "published_rows.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            rows[line["dataset"]][Month.parse(line["month"])] = int(line["rows"])
    assert sum(map(len, rows.values())) == 589

    warned = []
    for dataset, counts in rows.items():
        for month, count in counts.items():
            before = month.plus(-1)
            for replaced in (None, count):  # the first time, and published again
                expected = ExpectedRows(
                    replaced=replaced, neighbour=before, neighbour_rows=counts.get(before)
                )
                results = _audited(dataset, count, expected)
                assert {name for name, passed in results.items() if not passed} <= {
                    "neighbouring_months"
                }
            if not results["neighbouring_months"]:
                warned.append(f"{dataset} {month}")
    assert sorted(warned) == [
        "fhv 2019-02",
        "fhv 2020-04",
        "fhvhv 2020-04",
        "green 2020-04",
        "yellow 2020-03",
        "yellow 2020-04",
    ]


def _audited(dataset: str, rows: int, expected: ExpectedRows) -> dict[str | None, bool]:
    counts = MonthCounts(rows, rows, 0, {}, {}, ())
    results = checks.audit(DATASETS[dataset], counts, 0, rows, 0.0, 0.0, expected)
    return {each.check_name: each.passed for each in results}


def _reissue(folder: Path, rows: int) -> None:
    """Publish the month with its first ``rows`` rows, or as the first time if it had fewer."""
    path = trip_file(folder / "site", "green", MONTH)
    first = path.with_name("first")
    if not first.exists():
        first.write_bytes(path.read_bytes())
    path.unlink()
    pq.write_table(pq.read_table(first).slice(0, rows), path)


def _accepting(platform: Platform, rows: int) -> dg.JobExecutionResult:
    config = {"green/clean_trips": {"accept_rows": rows}}
    return platform.run(month_assets("green"), "2024-01", config=config)
