from __future__ import annotations

import duckdb
import pyarrow.parquet as pq
from playwright.sync_api import expect

from taxi_assets.datasets import Month, parse_months
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.ui.browser import Dagster
from taxi_assets_tests.ui.stack import Stack

MONTHS = parse_months("2024-01:2024-03")
BROKEN = Month(2024, 2)
RUN_MS = 60_000.0


def test_a_month_that_fails_alone_is_named_and_run_again_from_the_page(
    dagster: Dagster, stack: Stack, site: Simulator
) -> None:
    rows = {month: pq.read_metadata(site.publish("green", month)).num_rows for month in MONTHS}
    site.faults.html(path=f"*green_tripdata_{BROKEN}*", times=None)

    dagster.graph_of("green")
    dagster.choose_months(f"[{MONTHS[0]}...{MONTHS[-1]}]")
    dagster.launch_backfill()
    for name in ("raw_trips", "clean_trips", "lake_trips", "warehouse_trips"):
        dagster.text(f"green / {name}").wait_for()
    dagster.run_of_backfill()
    expect(dagster.text(f"green/raw_trips {BROKEN} failed:")).to_be_visible()
    expect(dagster.text("it is an HTML page")).to_be_visible()

    dagster.month("green/warehouse_trips", str(BROKEN))
    expect(dagster.text("failed, and did not materialize this asset")).to_be_visible()
    expect(dagster.text("Failed (1)")).to_be_visible()
    assert _in_warehouse(stack) == {month: rows[month] for month in MONTHS if month != BROKEN}

    site.faults.clear()
    dagster.graph_of("green")
    dagster.button("Materialize all").click()
    dagster.button("Failed", exact=True).click()
    dagster.launch_run()
    expect(dagster.text("Success", exact=True)).to_be_visible(timeout=RUN_MS)

    dagster.month("green/warehouse_trips", str(BROKEN))
    expect(dagster.text("Materialized", exact=True)).to_be_visible()
    expect(dagster.text("Failed (0)")).to_be_visible()
    assert _in_warehouse(stack) == rows


def _in_warehouse(stack: Stack) -> dict[Month, int]:
    """Trips and rejects of each of ``MONTHS`` that has any, counted in the file itself."""
    with duckdb.connect(str(stack.warehouse), read_only=True) as warehouse:
        counted = warehouse.execute(
            "SELECT source_month, count(*) FROM (SELECT source_month FROM green_trips "
            "UNION ALL SELECT source_month FROM green_rejects) GROUP BY ALL"
        ).fetchall()
    found = {Month.of(day): count for day, count in counted}
    return {month: found[month] for month in MONTHS if month in found}
