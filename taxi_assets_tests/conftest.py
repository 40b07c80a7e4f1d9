"""What every test gets: no network but loopback. What any test may ask for: the emulators."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taxi_assets_tests import loopback

# Imported, not named in pytest_plugins, which `pytest .` refuses in a folder below its own.
from taxi_assets_tests.emulators.fixtures import (
    azure_emulator,
    bigquery_emulator,
    gcs_emulator,
    postgres_emulator,
    s3_emulator,
)

__all__ = [
    "azure_emulator",
    "bigquery_emulator",
    "gcs_emulator",
    "postgres_emulator",
    "s3_emulator",
]


def pytest_configure() -> None:
    loopback.guard()


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """Fail the test even where the code under test swallowed the refusal."""
    yield
    reached = loopback.refused.copy()
    loopback.refused.clear()
    if reached:
        pytest.fail(f"tests talk to loopback only; this one reached for {', '.join(reached)}")
