from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from taxi_assets.simulator.server import Simulator

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "tlc"


@pytest.fixture
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
def client(tlc: Simulator) -> Iterator[httpx.Client]:
    """An HTTP client of that simulator."""
    with httpx.Client(base_url=tlc.url, timeout=10) as http:
        yield http
