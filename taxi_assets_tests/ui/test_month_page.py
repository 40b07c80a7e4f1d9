from __future__ import annotations

import pyarrow.parquet as pq
from playwright.sync_api import expect

from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.ui.browser import Dagster
from taxi_assets_tests.ui.conftest import LOADED

MONTH = LOADED[-1]


def test_a_month_shows_its_counts_plots_and_links(dagster: Dagster, site: Simulator) -> None:
    file = f"{site.url}/trip-data/green_tripdata_{MONTH}.parquet"
    dagster.month("green/clean_trips", str(MONTH))

    published = dagster.page.locator("tr", has_text="published_rows").first
    expect(published).to_contain_text(str(_rows(site)))
    plot = dagster.page.get_by_alt_text(f"green {MONTH}: trips per day")
    expect(plot).to_be_visible()
    assert plot.evaluate("image => image.naturalWidth") > 300, "the browser could not draw it"
    expect(dagster.page.locator("tr", has_text="rejects_by_reason").first).to_contain_text("█")
    expect(dagster.page.locator(f"a[href='{file}']").first).to_be_visible()
    expect(dagster.page.get_by_role("link", name="nyc.gov").first).to_be_visible()


def test_a_month_shows_its_columns_with_meaning_and_origin(dagster: Dagster) -> None:
    dagster.month("green/clean_trips", str(MONTH))
    dagster.text("[Show Table Schema]").click()
    dialog = dagster.page.get_by_role("dialog")
    expect(dialog).to_contain_text("When the trip began, on New York's wall clock.")
    expect(dialog).to_contain_text("Published as lpep_pickup_datetime.")
    expect(dialog).to_contain_text("Not in this month's file: NULL.")


def test_the_numbers_of_all_months_are_plotted(dagster: Dagster) -> None:
    dagster.asset("green/clean_trips", "overview")
    dagster.button("Plots").click()
    for name in ("published_rows", "reject_share", "bytes"):
        heading = dagster.text(name, exact=True)
        heading.scroll_into_view_if_needed()
        expect(heading).to_be_visible()
    expect(dagster.page.locator("canvas").first).to_be_visible()


def test_the_overview_explains_each_rule_and_names_the_owner(dagster: Dagster) -> None:
    dagster.asset("green/clean_trips", "overview")
    expect(dagster.text("taxi-data")).to_be_visible()
    expect(dagster.text("dropoff_before_pickup")).to_be_visible()
    expect(dagster.text("The trip ends more than 60 minutes before it begins.")).to_be_visible()


def test_the_checks_have_a_result_for_each_month(dagster: Dagster) -> None:
    dagster.asset("green/clean_trips", "checks", checkDetail="reject_share")
    for name in ("pickup_present", "reconciled", "reject_share"):
        expect(dagster.text(name, exact=True)).to_be_visible()
    expect(dagster.text("of the rows are rejected, 1.000% are allowed")).to_be_visible()
    dagster.checks_by_month("green/clean_trips", "reject_share")
    expect(dagster.text("Passed (0)")).not_to_be_visible()
    dagster.page.get_by_placeholder("Filter by partition").fill(str(MONTH))
    dagster.page.get_by_text(str(MONTH), exact=True).filter(visible=True).last.click()
    expect(dagster.text("Passed", exact=True)).to_be_visible()


def _rows(site: Simulator) -> int:
    """Rows of the month as TLC publishes it: the simulator makes the same month each time."""
    rows: int = pq.read_metadata(site.publish("green", MONTH)).num_rows
    return rows
