from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.tlc import TlcClient
from taxi_assets_tests.tlc.site import Site

JANUARY = Month(2024, 1)
PATH = "/trip-data/green_tripdata_2024-01.parquet"


def parquet(rows: int = 20_000, seed: int = 0) -> bytes:
    """A Parquet file of about eight bytes a row, uncompressed."""
    numbers = np.random.default_rng(seed).integers(0, 2**62, rows)
    sink = io.BytesIO()
    pq.write_table(pa.table({"n": numbers}), sink, compression="none", use_dictionary=False)
    return sink.getvalue()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def client(site: Site) -> Iterator[TlcClient]:
    with TlcClient(site.url, backoff_seconds=0.001, timeout_seconds=5) as client:
        yield client
