"""A lake in a bucket on loopback, which records requests and fails on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from taxi_assets.lake import gcs
from taxi_assets_tests.lake import gcs_stub
from taxi_assets_tests.lake.gcs_stub import GcsStub

LAKE_URL = f"gs://{gcs_stub.BUCKET}"


@contextmanager
def running_bucket() -> Iterator[GcsStub]:
    """A bucket that Google's client uses during the block."""
    with gcs_stub.running() as stub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", stub.url)
        patch.setenv("GOOGLE_CLOUD_PROJECT", "local")
        quick = gcs.RETRY.with_delay(initial=0.01, maximum=0.02).with_timeout(0.1)
        patch.setattr(gcs, "RETRY", quick)
        yield stub
