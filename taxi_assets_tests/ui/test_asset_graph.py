from __future__ import annotations

from playwright.sync_api import expect

from taxi_assets_tests.ui.browser import Dagster


def test_the_graph_of_a_dataset_shows_its_assets_and_what_they_are_kept_in(
    dagster: Dagster,
) -> None:
    dagster.page.set_viewport_size({"width": 2400, "height": 1000})  # small, it shows names alone
    dagster.graph_of("green")
    for name in ("raw_trips", "clean_trips", "lake_trips", "warehouse_trips"):
        expect(dagster.text(name, exact=True)).to_be_visible()
    for kind in ("Parquet", "DuckDB", "File", "Table"):
        expect(dagster.text(kind, exact=True)).to_be_visible()


def test_the_global_graph_has_a_group_per_dataset(dagster: Dagster) -> None:
    dagster.page.goto("/asset-groups")
    for group in ("yellow", "green", "fhv", "fhvhv", "tlc", "zones"):
        expect(dagster.text(group, exact=True)).to_be_visible()
