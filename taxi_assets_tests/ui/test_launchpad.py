from __future__ import annotations

from playwright.sync_api import expect

from taxi_assets.datasets import dataset
from taxi_assets_tests.ui.browser import Dagster

BOUND = f"max_reject_share: {dataset('green').max_reject_share}"


def test_the_launchpad_offers_the_fields_with_their_defaults(dagster: Dagster) -> None:
    dagster.launchpad("green_months")
    expect(dagster.page.locator(".CodeMirror")).to_contain_text("redo: false")
    expect(dagster.page.locator(".CodeMirror")).to_contain_text(BOUND)
    expect(dagster.text("No errors")).to_be_visible()


def test_the_launchpad_names_a_field_that_does_not_exist(dagster: Dagster) -> None:
    dagster.launchpad("green_months")
    dagster.type_config("ops:\n  green__clean_trips:\n    config:\n      max_rejects: 0.5\n")
    expect(dagster.text('Received unexpected config entry "max_rejects"')).to_be_visible()
