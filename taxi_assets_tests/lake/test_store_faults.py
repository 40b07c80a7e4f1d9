"""What a store's faults do to a request, the same for each: one is survived, many are transient."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from taxi_assets import retry_policy
from taxi_assets.errors import StoreUnavailable
from taxi_assets_tests.lake import canned
from taxi_assets_tests.lake.canned import CUT, SILENT, Canned, Response
from taxi_assets_tests.lake.stores import SILENCE, Opened, each_store

KEY = "trips/trips.parquet"
each_fault = pytest.mark.parametrize(
    "status", [429, 503, CUT, SILENT], ids=["429", "503", "cut", "silent"]
)


@pytest.fixture
def server() -> Iterator[Canned]:
    """Answers 404 unless told otherwise."""
    with canned.running() as server:
        yield server


def attempts(server: Canned) -> int:
    return len([one for one in server.requests if KEY.rsplit("/", maxsplit=1)[-1] in one.path])


@each_store
@each_fault
def test_one_fault_is_survived(
    opened: Opened, status: int, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.responses.append(Response("", "trips.parquet", status, times=1))
    assert opened(server.url, monkeypatch).find(KEY) is None
    assert attempts(server) == 2


@each_store
@each_fault
def test_faults_without_end_are_transient_after_five_attempts(
    opened: Opened, status: int, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.responses.append(Response("", "trips.parquet", status))
    with pytest.raises(StoreUnavailable, match="Try later"):
        opened(server.url, monkeypatch).find(KEY)
    assert attempts(server) == retry_policy.ATTEMPTS


@each_store
def test_no_attempt_begins_after_the_deadline(
    opened: Opened, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "LAST_BEGIN_SECONDS", 1.5 * SILENCE)
    server.responses.append(Response("", "trips.parquet", SILENT))
    with pytest.raises(StoreUnavailable, match="Try later"):
        opened(server.url, monkeypatch).find(KEY)
    assert attempts(server) == 2


@each_store
def test_a_wish_of_the_server_that_ends_too_late_is_reported_at_once(
    opened: Opened, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.responses.append(Response("", "trips.parquet", 429, {"Retry-After": "3600"}))
    with pytest.raises(StoreUnavailable, match="Try later"):
        opened(server.url, monkeypatch).find(KEY)
    assert attempts(server) == 1


@each_store
def test_a_refused_connection_is_transient(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(StoreUnavailable, match="Try later"):
        opened(url, monkeypatch).find(KEY)
