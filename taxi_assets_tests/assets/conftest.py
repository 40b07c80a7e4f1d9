from __future__ import annotations

from pathlib import Path

import pytest

from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform


@pytest.fixture
def platform(tmp_path: Path, tlc: Simulator) -> Platform:
    """The platform, with nothing in it, and the simulator as its TLC."""
    return Platform(tmp_path / "home", tlc.url)
