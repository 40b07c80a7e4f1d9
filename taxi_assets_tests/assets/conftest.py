from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.buckets import LAKE_URL, running_bucket
from taxi_assets_tests.assets.platform import Platform
from taxi_assets_tests.lake.gcs_stub import GcsStub


@pytest.fixture
def platform(tmp_path: Path, tlc: Simulator) -> Platform:
    """An empty platform with the simulator as its TLC."""
    return Platform(tmp_path / "home", tlc.url)


@pytest.fixture
def bucket() -> Iterator[GcsStub]:
    """An empty bucket on loopback."""
    with running_bucket() as stub:
        yield stub


@pytest.fixture
def in_bucket(tmp_path: Path, tlc: Simulator, bucket: GcsStub) -> Platform:
    """The platform with its lake in ``bucket``."""
    return Platform(tmp_path / "home", tlc.url, TAXI_LAKE_URL=LAKE_URL)
