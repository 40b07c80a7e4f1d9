from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from taxi_assets.datasets import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.ui.browser import Dagster, browse, chromium
from taxi_assets_tests.ui.stack import Stack

LOADED = (Month(2023, 11), Month(2023, 12))


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A TLC that has published nothing yet."""
    if chromium() is None:
        without = "no chromium on this machine: apt-get install chromium"
        pytest.fail(without) if os.environ.get("CI") == "true" else pytest.skip(without)
    with Simulator(tmp_path_factory.mktemp("tlc")) as simulator:
        yield simulator


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, site: Simulator) -> Iterator[Stack]:
    """What ``make ui`` starts, once for all these tests; ``LOADED`` of green are there already."""
    site.publish_zones()
    for month in LOADED:
        site.publish("green", month)
    stack = Stack(tmp_path_factory.mktemp("ui") / "home", site.url)
    stack.run("green", f"{LOADED[0]}:{LOADED[-1]}")
    with stack:
        yield stack


@pytest.fixture
def dagster(stack: Stack) -> Iterator[Dagster]:
    """A fresh browser on its pages."""
    with browse(stack.url) as pages:
        yield pages
