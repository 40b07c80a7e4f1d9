from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform

REAL = Path(__file__).resolve().parents[3] / "shared" / "tlc"


@pytest.fixture(scope="session")
def real_tlc() -> Path:
    """The folder of real TLC files beside the checkout."""
    if not REAL.is_dir():
        pytest.skip("no real data")
    return REAL


@pytest.fixture
def tlc(tmp_path: Path) -> Iterator[Simulator]:
    """A simulator over an empty folder."""
    with Simulator(tmp_path / "site") as simulator:
        yield simulator


@pytest.fixture
def platform(tmp_path: Path, tlc: Simulator) -> Platform:
    """The platform, with nothing in it, and the simulator as its TLC."""
    return Platform(tmp_path / "home", tlc.url)
