from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from taxi_assets.definitions import build_definitions
from taxi_assets.settings import Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform
from taxi_assets_tests.automation.looking import Site
from taxi_assets_tests.automation.sinks import HttpSink, SmtpSink


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's records, with nothing in them."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(scope="session")
def definitions() -> dg.Definitions:
    """The platform's definitions, for tests in which no asset runs."""
    return build_definitions(Settings.from_env({"TAXI_HOME": "/nowhere"}))


@pytest.fixture
def site(tlc: Simulator, instance: dg.DagsterInstance, definitions: dg.Definitions) -> Site:
    """The simulator as sensors look at it."""
    return Site(tlc, instance, definitions)


@pytest.fixture
def platform(tmp_path: Path, tlc: Simulator) -> Platform:
    """The real assets with nothing in them, and the simulator as their TLC."""
    return Platform(tmp_path / "home", tlc.url)


@pytest.fixture
def http() -> Iterator[HttpSink]:
    with HttpSink() as sink:
        yield sink


@pytest.fixture
def smtp() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink
