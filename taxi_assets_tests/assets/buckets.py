"""A lake in a bucket on loopback, which records requests and fails on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from taxi_assets import retry_policy
from taxi_assets_tests.lake import gcs_stub
from taxi_assets_tests.lake.gcs_stub import GcsStub

LAKE_URL = f"gs://{gcs_stub.BUCKET}"


@contextmanager
def running_bucket() -> Iterator[GcsStub]:
    """A bucket that Google's client uses during the block."""
    with gcs_stub.running() as stub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", stub.url)
        patch.setenv("GOOGLE_CLOUD_PROJECT", "local")
        patch.setattr(retry_policy, "FIRST_DELAY_SECONDS", 0.01)
        yield stub
