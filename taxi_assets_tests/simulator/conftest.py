from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from taxi_assets.simulator.server import Simulator


@pytest.fixture
def client(tlc: Simulator) -> Iterator[httpx.Client]:
    """An HTTP client of the simulator."""
    with httpx.Client(base_url=tlc.url, timeout=10) as http:
        yield http
