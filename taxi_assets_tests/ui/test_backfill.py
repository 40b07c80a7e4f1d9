"""A backfill of a year with three bad months, launched and read in the browser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from taxi_assets.datasets import Month, parse_months
from taxi_assets.simulator.publisher import trip_file
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.ui.browser import BACKFILL_MS, Dagster, browse
from taxi_assets_tests.ui.stack import Stack, wait_for

MONTHS = parse_months("2024-01:2024-12")
CUT, STRANGE, UNPUBLISHED = Month(2024, 3), Month(2024, 5), Month(2024, 8)
BAD = {CUT, STRANGE, UNPUBLISHED}
GOOD = [month for month in MONTHS if month not in BAD]
_ENDED = ("MATERIALIZED", "FAILED")

_CHECKS = """query ($asset: AssetKeyInput!) {
  assetChecksOrError: assetNodeOrError(assetKey: $asset) { ... on AssetNode {
    assetChecksOrError { ... on AssetChecks { checks {
      name
      partitionStatuses { ... on AssetCheckTimePartitionStatuses { ranges {
        startKey endKey status
      } } }
    } } }
  } }
}"""
_RUNS = "{ runsOrError { ... on Runs { results { runId tags { key value } } } } }"
_PARTITIONS = """query ($asset: AssetKeyInput!) {
  assetNodeOrError(assetKey: $asset) { ... on AssetNode {
    assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }
  } }
}"""


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Simulator]]:
    """Dagster over a new home, after the backfill has ended; nothing of it has been fixed yet."""
    folder = tmp_path_factory.mktemp("tlc")
    with Simulator(folder) as site:
        site.publish_zones()
        for month in MONTHS:
            site.publish("green", month)
        _spoil(site, folder)
        with Stack(tmp_path_factory.mktemp("year") / "home", site.url) as stack:
            with browse(stack.url) as dagster:
                dagster.graph_of("green")
                dagster.choose_months(f"[{MONTHS[0]}...{MONTHS[-1]}]")
                dagster.launch_backfill()
            wait_for(
                lambda: (
                    sum(len(_months(stack, "warehouse_trips", each)) for each in _ENDED)
                    == len(MONTHS)
                ),
                seconds=BACKFILL_MS / 1000,
                what="the end of twelve runs",
            )
            yield stack, site


@pytest.fixture
def pages(year: tuple[Stack, Simulator]) -> Iterator[Dagster]:
    with browse(year[0].url) as dagster:
        yield dagster


def test_nine_months_are_loaded_and_three_are_red(year: tuple[Stack, Simulator]) -> None:
    stack, _ = year
    assert _months(stack, "warehouse_trips", "MATERIALIZED") == set(GOOD)
    assert _months(stack, "warehouse_trips", "FAILED") == BAD
    assert set(_in_warehouse(stack)) == set(GOOD)


def test_each_month_is_a_run_and_each_file_is_requested_once(
    year: tuple[Stack, Simulator],
) -> None:
    stack, site = year
    requested = Counter(
        request.path.rpartition("_")[2].removesuffix(".parquet")
        for request in site.requests
        if "/trip-data/" in request.path
    )
    assert requested == dict.fromkeys(map(str, MONTHS), 1)
    assert set(_runs(stack)) == set(map(str, MONTHS))


@pytest.mark.parametrize(
    ("asset", "names", "reached"),
    [
        ("raw_trips", {"published_rows"}, {*GOOD, STRANGE}),
        ("clean_trips", {"reconciled", "reject_share", "pickup_present"}, set(GOOD)),
        ("warehouse_trips", {"reconciled"}, set(GOOD)),
    ],
)
def test_checks_passed_where_they_were_reached_and_failed_nowhere(
    year: tuple[Stack, Simulator], asset: str, names: set[str], reached: set[Month]
) -> None:
    for name in names:
        verdicts = _verdicts(year[0], asset, name)
        assert {month for month, verdict in verdicts.items() if verdict == "SUCCEEDED"} == reached
        assert "FAILED" not in verdicts.values()


@pytest.mark.parametrize(
    ("asset", "month", "why"),
    [
        ("raw_trips", CUT, "it is truncated"),
        ("clean_trips", STRANGE, "surprise (BIGINT) is unknown"),
        ("raw_trips", UNPUBLISHED, "is not published"),
    ],
)
def test_the_page_of_a_failed_month_says_why(
    pages: Dagster, asset: str, month: Month, why: str
) -> None:
    pages.month(f"green/{asset}", str(month))
    expect(pages.text("failed, and did not materialize this asset")).to_be_visible()
    pages.button("View all historical events").click()
    dialog = pages.page.get_by_role("dialog")
    dialog.get_by_text(str(month), exact=True).click()
    expect(dialog).to_contain_text(why)
    expect(dialog).to_contain_text("what to do")


def test_the_run_of_a_failed_month_says_why(pages: Dagster, year: tuple[Stack, Simulator]) -> None:
    pages.page.goto(f"/runs/{_runs(year[0])[str(STRANGE)]}")
    expect(pages.text("surprise (BIGINT) is unknown")).to_be_visible()


def test_failed_months_are_run_again_from_the_page(
    pages: Dagster, year: tuple[Stack, Simulator]
) -> None:
    """Last of this module: it fixes two of the three."""
    stack, site = year
    for month in (CUT, STRANGE):
        site.publish("green", month, seed=1)
    pages.month("green/warehouse_trips", str(CUT))
    pages.graph_of("green")
    pages.choose_months(f"{CUT}, {STRANGE}")
    pages.button("Launch backfill").click()
    pages.text("Created backfill").wait_for()
    wait_for(
        lambda: _months(stack, "warehouse_trips", "MATERIALIZED") == {*GOOD, CUT, STRANGE},
        seconds=BACKFILL_MS / 1000,
        what="the two months",
    )
    pages.month("green/warehouse_trips", str(CUT))
    expect(pages.text("Materialized", exact=True)).to_be_visible()
    assert set(_in_warehouse(stack)) == {*GOOD, CUT, STRANGE}


def _spoil(site: Simulator, folder: Path) -> None:
    cut = trip_file(folder, "green", CUT)
    content = cut.read_bytes()
    cut.unlink()
    cut.write_bytes(content[: len(content) // 2])
    strange = trip_file(folder, "green", STRANGE)
    rows = pq.read_table(strange)
    strange.unlink()
    pq.write_table(rows.append_column("surprise", pa.array(range(rows.num_rows))), strange)
    site.withdraw("green", UNPUBLISHED)


def _runs(stack: Stack) -> dict[str, str]:
    """The id of the run of each month; a month with two runs would be one entry too few."""
    runs = stack.ask(_RUNS)["runsOrError"]["results"]
    assert len(runs) == len(MONTHS)
    tags = {run["runId"]: {tag["key"]: tag["value"] for tag in run["tags"]} for run in runs}
    return {each["dagster/partition"]: run for run, each in tags.items()}


def _months(stack: Stack, asset: str, status: str) -> set[Month]:
    found = stack.ask(_PARTITIONS, {"asset": {"path": ["green", asset]}})["assetNodeOrError"]
    return _in(found["assetPartitionStatuses"]["ranges"], status)


def _verdicts(stack: Stack, asset: str, check: str) -> dict[Month, str]:
    """The status of a check by month, as the pages ask for it."""
    asked = stack.ask(_CHECKS, {"asset": {"path": ["green", asset]}})["assetChecksOrError"]
    (ranges,) = [
        each["partitionStatuses"]["ranges"]
        for each in asked["assetChecksOrError"]["checks"]
        if each["name"] == check
    ]
    statuses = {each["status"] for each in ranges}
    return {month: status for status in statuses for month in _in(ranges, status)}


def _in(ranges: list[dict[str, Any]], status: str) -> set[Month]:
    return {
        month
        for each in ranges
        if each["status"] == status
        for month in parse_months(f"{each['startKey']}:{each['endKey']}")
    }


def _in_warehouse(stack: Stack) -> dict[Month, int]:
    """Trips and rejects by month, counted in the file itself."""
    with duckdb.connect(str(stack.warehouse), read_only=True) as warehouse:
        counted = warehouse.execute(
            "SELECT source_month, count(*) FROM (SELECT source_month FROM green_trips "
            "UNION ALL SELECT source_month FROM green_rejects) GROUP BY ALL"
        ).fetchall()
    return {Month.of(day): count for day, count in counted}
