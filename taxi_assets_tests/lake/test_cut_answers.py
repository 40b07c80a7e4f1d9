"""An answer whose connection is lost before its end is not taken for a complete one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from taxi_assets.lake.factory import open_store
from taxi_assets.lake.store import LakeStore
from taxi_assets_tests.emulators.http_proxy import HttpProxy
from taxi_assets_tests.emulators.server import HOST
from taxi_assets_tests.faults.wire_faults import FAULTS, HttpFaults, Plan
from taxi_assets_tests.lake import lakes
from taxi_assets_tests.lake.files import new_file

KEY = "trips/green/trips.parquet"
FIRST_KEY, OTHER_KEY = "copies/1.parquet", "copies/2.parquet"
ADDRESSES = {
    "gcs": "STORAGE_EMULATOR_HOST",
    "s3": "AWS_ENDPOINT_URL",
    "azure": "AZURE_STORAGE_CONNECTION_STRING",
}
Disturbed = tuple[LakeStore, Plan]


@pytest.fixture(params=ADDRESSES)
def disturbed(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Disturbed]:
    """A store with an object, and the plan by which answers to its clients are cut."""
    url = lakes.fresh_lake(request.param, tmp_path, request, monkeypatch)
    open_store(url).put(new_file(tmp_path, b"x", rows=1), KEY, replacing=None)
    name = ADDRESSES[request.param]
    address = request.getfixturevalue(f"{request.param}_emulator").environment[name]
    [port] = re.findall(r"127\.0\.0\.1:(\d+)", address)
    plan = Plan(FAULTS["cut in the answer"])
    with HttpProxy(0, (HOST, int(port)), partial(HttpFaults, plan, request.param)) as proxy:
        monkeypatch.setenv(name, address.replace(f":{port}", f":{proxy.port}"))
        yield open_store(url), plan


def test_a_list_is_complete(disturbed: Disturbed) -> None:
    store, plan = disturbed
    plan.at = len(plan.requests) + 1
    assert list(store.keys("trips/")) == [KEY]
    assert len(plan.requests) > plan.at


def test_a_copy_has_its_version(disturbed: Disturbed) -> None:
    store, plan = disturbed
    source = store.get(KEY, remedy="")
    before = len(plan.requests)
    store.copy(source, FIRST_KEY, replacing=None)
    verbs = [name.split()[1] for name in plan.requests[before:]]
    [written] = [at for at, verb in enumerate(verbs) if verb in ("PUT", "POST")]
    plan.at = len(plan.requests) + written + 1
    copied = store.copy(source, OTHER_KEY, replacing=None)
    assert store.find(OTHER_KEY) == copied
