"""The pictures in ``docs/images``: ``python -m taxi_assets_tests.ui.screenshots``.

They are taken of a home made for them. Add one where a page of the docs explains what it shows.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from taxi_assets.datasets import Month, parse_months
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.ui.browser import BACKFILL_MS, Dagster, browse, chromium
from taxi_assets_tests.ui.stack import Stack

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"

_HISTORY = "2023-01:2023-12"
_BACKFILL = "2024-01:2024-06"
_BROKEN = Month(2024, 3)


def main(arguments: Sequence[str]) -> int:
    """Make them all; ``arguments`` names another folder for them."""
    if chromium() is None:
        print("no chromium on this machine: apt-get install chromium", file=sys.stderr)
        return 2
    folder = Path(arguments[0]) if arguments else IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as temporary,
        Simulator(Path(temporary) / "tlc") as site,
    ):
        site.publish_zones()
        for month in parse_months(f"{_HISTORY.partition(':')[0]}:{_BACKFILL.partition(':')[2]}"):
            site.publish("green", month)
        site.faults.html(path=f"*green_tripdata_{_BROKEN}*", times=None)
        stack = Stack(Path(temporary) / "home", site.url)
        stack.run("green", _HISTORY)
        with stack, browse(stack.url) as dagster:
            _take(dagster, folder)
    return 0


def _take(dagster: Dagster, folder: Path) -> None:
    page = dagster.page

    def picture(name: str, height: int) -> None:
        page.set_viewport_size({"width": 1400, "height": height})
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / name)
        print(f"{folder / name} ({(folder / name).stat().st_size:,} bytes)")

    page.goto("/")
    dagster.text("green_months").wait_for()
    picture("first-page.png", 420)

    page.goto("/asset-groups")
    dagster.button("Materialize all").wait_for()
    dagster.text("Hide navigation").click()
    page.keyboard.press("Alt+KeyE")  # expand all groups, which the address then remembers
    page.wait_for_url("**/asset-groups?expanded=*")
    page.set_viewport_size({"width": 1400, "height": 1500})
    page.reload()
    dagster.text("warehouse_trips", exact=True).wait_for()
    picture("asset-graph.png", 1500)

    page.set_viewport_size({"width": 1400, "height": 900})
    dagster.graph_of("green")
    dagster.choose_months(f"[{_BACKFILL.replace(':', '...')}]")
    dagster.launch_backfill()
    dagster.text("100% completed").wait_for(timeout=BACKFILL_MS)
    picture("backfill.png", 520)

    dagster.month("green/raw_trips", str(_BROKEN))
    page.get_by_placeholder("Filter by name").fill("2024-0")
    dagster.text("did not materialize").wait_for()
    dagster.button("View all historical events").click()
    page.get_by_role("dialog").get_by_text(str(_BROKEN), exact=True).click()
    picture("failed-partition.png", 640)

    page.set_viewport_size({"width": 1400, "height": 900})
    dagster.checks_by_month("green/clean_trips", "reject_share")
    page.get_by_placeholder("Filter by partition").fill("2024-0")
    page.get_by_text("2024-02", exact=True).filter(visible=True).last.click()
    dagster.text("Passed", exact=True).wait_for()
    picture("checks.png", 820)

    dagster.month("green/clean_trips", "2024-02")
    page.get_by_placeholder("Filter by name").fill("2024-0")
    page.get_by_alt_text("trips per day").wait_for()
    picture("month.png", 1010)

    dagster.asset("green/clean_trips", "overview")
    dagster.button("Plots").click()
    page.locator("canvas").first.wait_for()
    dagster.text("Metadata", exact=True).evaluate("heading => heading.scrollIntoView()")
    picture("plots.png", 900)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
