"""What every test gets: no network but loopback. What any may ask for: emulators, a TLC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets.simulator.server import Simulator
from taxi_assets_tests import loopback

# Imported, not named in pytest_plugins, which `pytest .` refuses in a folder below its own.
from taxi_assets_tests.emulators.fixtures import (
    azure_emulator,
    bigquery_emulator,
    gcs_emulator,
    postgres_emulator,
    s3_emulator,
)
from taxi_assets_tests.emulators.recording.record import take_violations

__all__ = [
    "azure_emulator",
    "bigquery_emulator",
    "gcs_emulator",
    "postgres_emulator",
    "s3_emulator",
]

REAL = Path(__file__).resolve().parents[2] / "shared" / "tlc"


def pytest_configure() -> None:
    loopback.guard()


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


@pytest.fixture(autouse=True)
def _valid_requests() -> Iterator[None]:
    """Fail the test that sent a request which the service's own model does not allow."""
    yield
    if found := take_violations():
        pytest.fail("requests that the real service refuses:\n" + "\n".join(found))


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """Fail the test even where the code under test swallowed the refusal."""
    yield
    reached = loopback.refused.copy()
    loopback.refused.clear()
    if reached:
        pytest.fail(f"tests talk to loopback only; this one reached for {', '.join(reached)}")
