"""Chromium on Dagster's pages, as a person uses them. The servers behind them are ``stack``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, sync_playwright

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WAIT_MS = 30_000.0
_RUN_ID = re.compile("^[0-9a-f]{8}$")

BACKFILL_MS = 120_000.0
"""The daemon looks at backfills twice a minute; a run takes seconds."""


def chromium() -> str | None:
    """Where Debian's Chromium is; ``None`` where it is not installed."""
    return shutil.which("chromium")


@contextmanager
def browse(url: str, *, width: int = 1400, height: int = 900) -> Iterator[Dagster]:
    """A fresh browser on the pages at ``url``; every wait in it ends after half a minute."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(_FLAGS))
        try:
            page = browser.new_page(base_url=url, viewport={"width": width, "height": height})
            page.set_default_timeout(_WAIT_MS)
            yield Dagster(page)
        finally:
            browser.close()


class Dagster:
    """The pages of one Dagster; ``page`` is Playwright's own."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def text(self, text: str, *, exact: bool = False) -> Locator:
        """The first place on the page that shows ``text``."""
        return self.page.get_by_text(text, exact=exact).filter(visible=True).first

    def button(self, name: str, *, exact: bool = False) -> Locator:
        """The first button called so."""
        return self.page.get_by_role("button", name=name, exact=exact).first

    def graph_of(self, group: str) -> None:
        """A group's asset graph."""
        self.page.goto(f"/locations/taxi_assets/asset-groups/{group}/lineage")
        self.button("Materialize all").wait_for()

    def asset(self, key: str, view: str, **where: str) -> None:
        """One tab of an asset's page."""
        more = "".join(f"&{name}={text}" for name, text in where.items())
        self.page.goto(f"/assets/{key}?view={view}{more}")

    def month(self, key: str, month: str) -> None:
        """What is recorded of one month of an asset."""
        self.asset(key, "partitions", partition=month)
        self.page.get_by_role("heading", name=month).or_(self.text(month, exact=True)).wait_for()

    def choose_months(self, months: str) -> None:
        """In the dialog of "Materialize all": type the partitions, such as
        ``[2024-01...2024-03]``.
        """
        self.button("Materialize all").click()
        box = self.page.get_by_placeholder("ex: 2014-01")
        box.fill(months)
        box.press("Enter")

    def launch_backfill(self) -> None:
        """Press it, and go to the page of the backfill that it started."""
        self.button("Launch backfill").click()
        self.text("Created backfill").wait_for()
        self.page.goto("/runs")
        self.page.locator("a[href^='/runs/b/']").filter(visible=True).first.click()
        self.page.wait_for_url(re.compile(r"/runs/b/"))

    def run_of_backfill(self) -> None:
        """From a backfill's page to the page of its first run that has ended."""
        self.page.get_by_role("tab", name="Runs").click()
        self.text("Failure").or_(self.text("Success")).first.wait_for(timeout=BACKFILL_MS)
        self._open_run()

    def launch_run(self) -> None:
        """Press it, and go to the page of the run that it started."""
        self.button("Launch 1 run").click()
        self.text("Launched run").wait_for()
        self.page.goto("/runs")
        self._open_run()

    def _open_run(self) -> None:
        """Press the id of the topmost run in a list."""
        runs = self.page.locator("a[href^='/runs/']:not([href*='/b/'])", has_text=_RUN_ID)
        runs.filter(visible=True).first.click()
        self.page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}"))

    def checks_by_month(self, key: str, check: str) -> None:
        """One check's results, month by month."""
        self.asset(key, "checks", checkDetail=check)
        self.page.get_by_role("tab", name="Execution history").wait_for()
        self.page.get_by_role("tab", name="Partitions").last.click()
        self.page.get_by_placeholder("Filter by partition").wait_for()

    def launchpad(self, job: str) -> None:
        """The page where a job's configuration is edited."""
        repository = "__repository__@taxi_assets"
        self.page.goto(f"/locations/{repository}/jobs/{job}/playground")
        self.text("No errors").wait_for()

    def type_config(self, yaml: str) -> None:
        """Replace the launchpad's configuration."""
        self.page.locator(".CodeMirror").first.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(yaml)
