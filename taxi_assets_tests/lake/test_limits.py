"""Names and metadata that a service refuses are refused before a request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets.addresses import lake_address
from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.errors import Misconfigured
from taxi_assets.lake import attributes
from taxi_assets.lake.bucket import PART_SIZE
from taxi_assets.lake.objects import to_header
from taxi_assets_tests.lake import canned
from taxi_assets_tests.lake.canned import Canned
from taxi_assets_tests.lake.files import new_file
from taxi_assets_tests.lake.stores import Opened, each_store

KEY = "trips/trips.parquet"


@pytest.fixture
def server() -> Iterator[Canned]:
    """Has nothing and stores nothing."""
    with canned.running() as server:
        yield server


@each_store
@pytest.mark.parametrize("size", [1, PART_SIZE + 1], ids=["one request", "parts"])
def test_metadata_over_the_limit_is_not_sent(
    opened: Opened, size: int, server: Canned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limit = {"_gcs": 8192, "_s3": 2048, "_azure": 8192}[opened.__name__]
    new = new_file(tmp_path, bytes(size), {"columns": "c" * limit})
    with pytest.raises(Misconfigured, match=rf"trips.parquet has .* accepts {limit:,}; nothing"):
        opened(server.url, monkeypatch).put(new, KEY, replacing=None)
    assert {one.method for one in server.requests} <= {"GET", "HEAD"}


@each_store
def test_a_name_that_no_object_can_have_is_refused(
    opened: Opened, server: Canned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = opened(server.url, monkeypatch)
    for key in ("trips/" + "x" * 1019, "trips/" + "🚗" * 255, "a\nb", "a\rb", "a\x0bb"):
        with pytest.raises(Misconfigured, match="cannot be an object"):
            store.put(new_file(tmp_path, b"x"), key, replacing=None)
    assert server.requests == []


@each_store
def test_a_name_may_have_1024_bytes(
    opened: Opened, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opened(server.url, monkeypatch).find("trips/" + "x" * 1018) is None
    assert len(server.requests) == 1


@pytest.mark.parametrize("prefix", [".well-known/acme-challenge", "a/../b", ".", "a//b"])
@pytest.mark.parametrize("scheme", ["gs", "s3", "az"])
def test_a_prefix_that_gcs_forbids_is_refused(scheme: str, prefix: str) -> None:
    with pytest.raises(Misconfigured, match="prefix cannot be used"):
        lake_address(f"{scheme}://lake/{prefix}")


@pytest.mark.parametrize("spec", DATASETS.values(), ids=DATASETS)
def test_a_published_month_s_attributes_fit_into_an_object_s_metadata(spec: DatasetSpec) -> None:
    published = {column.name: "TIMESTAMP WITH TIME ZONE" for column in spec.columns}
    described = {
        attributes.ORIGIN: "https://a-mirror.example.org",
        attributes.SOURCE_URL: "https://a-mirror.example.org/" + "x" * 100,
        attributes.COLUMNS: json.dumps(published),
        attributes.ETAG: '"' + "0" * 40 + '"',
        attributes.LAST_MODIFIED: "2024-01-01T00:00:00+00:00",
        "sha256": "0" * 64,
        "rows": "25000000",
    }
    header = to_header(described)
    assert sum(len(name) + len(text) for name, text in header.items()) < 2048
