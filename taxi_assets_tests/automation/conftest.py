from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from taxi_assets.settings import Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.automation.sinks import HttpSink, SmtpSink
from taxi_assets_tests.automation.standins import Script, stand_ins
from taxi_assets_tests.automation.ticks import Records, Site


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An empty Dagster instance."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(scope="session")
def made() -> tuple[dg.Definitions, Script]:
    """The stand-ins, made once, and their script, which ``records`` clears."""
    script = Script()
    return stand_ins(Settings.from_env({"TAXI_HOME": "/nowhere"}), script), script


@pytest.fixture
def records(instance: dg.DagsterInstance, made: tuple[dg.Definitions, Script]) -> Records:
    """An instance with stand-in assets."""
    definitions, script = made
    script.clear()
    return Records(instance, definitions, script)


@pytest.fixture
def site(tlc: Simulator, records: Records) -> Site:
    """The simulator as sensors poll it."""
    return Site(tlc, records)


@pytest.fixture
def http() -> Iterator[HttpSink]:
    with HttpSink() as sink:
        yield sink


@pytest.fixture
def smtp() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink
