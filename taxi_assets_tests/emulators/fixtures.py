"""Fixtures for the emulators, started by the first test that uses them, stopped at the end.

A test configures a client with ``.environment`` or other attributes. All tests of a run share the
emulators: create a new bucket, dataset or schema in each test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

import pytest

from taxi_assets_tests.emulators import azure, bigquery, gcs, postgres, s3
from taxi_assets_tests.emulators.server import Unavailable

Running = TypeVar("Running")


def _while_used(emulator: AbstractContextManager[Running]) -> Iterator[Running]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(emulator)
        except Unavailable as reason:
            if os.environ.get("CI") == "true":  # a skip in CI would go unnoticed
                pytest.fail(str(reason), pytrace=False)
            pytest.skip(str(reason))
        yield running


@pytest.fixture(scope="session")
def gcs_emulator() -> Iterator[gcs.Gcs]:
    """Google Cloud Storage."""
    yield from _while_used(gcs.running())


@pytest.fixture(scope="session")
def bigquery_emulator(gcs_emulator: gcs.Gcs) -> Iterator[bigquery.BigQuery]:
    """BigQuery, which loads from the Cloud Storage of ``gcs_emulator``."""
    yield from _while_used(bigquery.running(gcs_emulator))


@pytest.fixture(scope="session")
def s3_emulator() -> Iterator[s3.S3]:
    """Amazon S3."""
    yield from _while_used(s3.running())


@pytest.fixture(scope="session")
def azure_emulator() -> Iterator[azure.Azure]:
    """Azure Blob Storage."""
    yield from _while_used(azure.running())


@pytest.fixture(scope="session")
def postgres_emulator() -> Iterator[postgres.Postgres]:
    """PostgreSQL."""
    yield from _while_used(postgres.running())
