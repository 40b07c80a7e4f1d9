"""Faults on the way to BigQuery: each request fails once, or all of them do.

A proxy stands between Google's clients and the emulator; the waits between attempts are shortened.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]  # ships no types
import h11
import pyarrow as pa
import pytest
from google.cloud.bigquery_storage_v1 import types
from typing_extensions import override

from taxi_assets import retry_policy
from taxi_assets.datasets.spec import Type
from taxi_assets.errors import StoreUnavailable
from taxi_assets.warehouse import bigquery_read
from taxi_assets.warehouse.base import LoadedMonth, Warehouse
from taxi_assets.warehouse.bigquery_requests import REQUEST
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.warehouse.tables import TableColumn
from taxi_assets_tests.emulators.http_proxy import Cut, HttpProxy, Reply, Silence, Visit
from taxi_assets_tests.warehouse.months import JANUARY, TRIPS, load, trip, trips, zones_of

KINDS = ("datasets", "tables", "data", "jobs", "upload")
WIDER = replace(TRIPS, columns=(*TRIPS.columns, TableColumn("tip", Type.FLOAT, "Tip.")))


def _reply(status: int, reason: str) -> Reply:
    error = {"code": status, "message": reason, "errors": [{"reason": reason, "message": reason}]}
    return Reply(
        status, {"Content-Type": "application/json"}, json.dumps({"error": error}).encode()
    )


UNAVAILABLE = _reply(503, "backendError")
LIMITED = _reply(403, "rateLimitExceeded")
SESSION_GONE = _reply(410, "gone")


class Network:
    """Raises ``fault`` before a request reaches the server, or, if ``late``, after its work.

    Once for each kind of request, such as ``GET tables``, or with ``always`` each time.
    """

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.late = self.always = False
        self.seen: set[str] = set()

    def visit(self) -> Visit:
        network = self

        class _Visit(Visit):
            @override
            def request(self, request: h11.Request) -> None:
                path = request.target.decode().partition("?")[0]
                kind = max((part for part in path.split("/") if part in KINDS), key=KINDS.index)
                self.kind = f"{request.method.decode()} {kind}"
                self._pass(late=False)

            @override
            def response(self, response: h11.Response) -> None:
                self._pass(late=True)

            def _pass(self, *, late: bool) -> None:
                if network.fault and network.late is late:
                    new = self.kind not in network.seen
                    network.seen.add(self.kind)
                    if new or network.always:
                        raise network.fault

        return _Visit()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_policy, "FIRST_DELAY_SECONDS", 0.001)


@pytest.fixture
def network(bigquery_url: str, bigquery_emulator: Any) -> Iterator[Network]:
    assert bigquery_url
    network, server = Network(), urlsplit(bigquery_emulator.rest_url)
    with (
        HttpProxy(0, (server.hostname, server.port), network.visit) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{proxy.port}")
        yield network


@pytest.fixture
def warehouse(network: Network, bigquery_url: str) -> Warehouse:
    assert network
    return open_warehouse(bigquery_url)


@pytest.mark.parametrize(
    ("fault", "late"),
    [
        pytest.param(UNAVAILABLE, False, id="unavailable", marks=pytest.mark.long),
        pytest.param(LIMITED, False, id="rate limit", marks=pytest.mark.long),
        pytest.param(Cut(), False, id="cut", marks=pytest.mark.long),
        pytest.param(Cut(), True, id="answer lost"),
    ],
)
def test_each_request_may_fail_once(
    warehouse: Warehouse, network: Network, tmp_path: Path, fault: Exception, late: bool
) -> None:
    load(warehouse, tmp_path, trips([1, 2]), version="a")
    network.fault, network.late = fault, late
    rows = [trip(3) | {"tip": 0.5}]
    assert load(warehouse, tmp_path, rows, table=WIDER, version="b") == 1
    load(warehouse, tmp_path, rows, table=replace(WIDER, name="green_rejects"), version="b")
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("b", 1)
    assert warehouse.count(TRIPS.name, JANUARY) == 1
    network.fault = None
    assert zones_of(warehouse) == [3]
    wanted = {"PATCH tables", "POST tables", "POST upload", "PUT upload"}
    assert network.seen >= {*wanted, "GET datasets", "GET tables", "GET data", "POST jobs"}


def test_an_upload_whose_session_is_gone_begins_again(
    warehouse: Warehouse, network: Network, tmp_path: Path
) -> None:
    others = ("GET tables", "POST tables", "GET datasets", "GET data", "POST upload", "POST jobs")
    network.seen = set(others)
    network.fault = SESSION_GONE
    load(warehouse, tmp_path, trips([1]))
    assert "PUT upload" in network.seen
    network.fault = None
    assert zones_of(warehouse) == [1]


def _calls(warehouse: Warehouse, folder: Path) -> dict[str, Callable[[], object]]:
    return {
        "replace": lambda: load(warehouse, folder, trips([2]), version="b"),
        "count": lambda: warehouse.count(TRIPS.name, JANUARY),
        "loaded": lambda: warehouse.loaded(TRIPS.name, JANUARY),
        "read": lambda: zones_of(warehouse),
    }


@contextmanager
def _shorter_silence() -> Iterator[None]:
    assert REQUEST["timeout"] == (10, 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(REQUEST, "timeout", (0.2, 0.2))
        patch.setattr(retry_policy, "ATTEMPTS", 2)
        yield


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(
            UNAVAILABLE, "backendError.*Try later", id="unavailable", marks=pytest.mark.long
        ),
        pytest.param(LIMITED, "Try later", id="rate limit", marks=pytest.mark.long),
        pytest.param(_reply(429, "x"), "Try later", id="too many", marks=pytest.mark.long),
        pytest.param(Cut(), "Try later", id="cut", marks=pytest.mark.long),
        pytest.param(Silence(), "[Tt]imed out.*Try later", id="silence"),
    ],
)
def test_a_service_that_stays_away_is_a_transient_error_and_changes_nothing(
    warehouse: Warehouse, network: Network, tmp_path: Path, fault: Exception, expected: str
) -> None:
    load(warehouse, tmp_path, trips([1]), version="a")
    network.fault, network.always = fault, True
    for name, call in _calls(warehouse, tmp_path).items():
        with _shorter_silence(), pytest.raises(StoreUnavailable, match=expected):
            call()
        assert name
    network.fault = None
    assert zones_of(warehouse) == [1]
    assert warehouse.loaded(TRIPS.name, JANUARY) == LoadedMonth("a", 1)


def test_a_refused_connection_is_a_transient_error(
    bigquery_url: str, unused_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{unused_port}")
    for call in _calls(open_warehouse(bigquery_url), tmp_path).values():
        with pytest.raises(StoreUnavailable, match=r"refused.*Try later"):
            call()


class Reading:
    """Forwards the Storage Read API; the n-th call of ``ReadRows`` ends as ``ends[n]`` says.

    After one row it fails with that status, or sends nothing more for ``None``.
    """

    def __init__(self, address: str) -> None:
        self.ends: list[grpc.StatusCode | None] = []
        self.calls = 0
        self._channel = grpc.insecure_channel(address)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        if details.method.endswith("ReadRows"):
            forward = self._channel.unary_stream(details.method)
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: self._rows(forward(request), context)
            )
        forward = self._channel.unary_unary(details.method)
        return grpc.unary_unary_rpc_method_handler(lambda request, _: forward(request))

    def _rows(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        self.calls += 1
        for row in _single_rows(messages):
            yield row
            if self.ends:
                end = self.ends.pop(0)
                if end:
                    context.abort(end, "ended by the test")
                ended = threading.Event()
                context.add_callback(ended.set)
                ended.wait()


def _single_rows(messages: Iterator[bytes]) -> Iterator[bytes]:
    """The emulator sends a million rows in a message."""
    for message in map(types.ReadRowsResponse.deserialize, messages):
        schema = pa.ipc.read_schema(pa.py_buffer(message.arrow_schema.serialized_schema))
        rows = pa.py_buffer(message.arrow_record_batch.serialized_record_batch)
        batch = pa.ipc.read_record_batch(rows, schema)
        for at in range(batch.num_rows):
            row = {"serialized_record_batch": batch.slice(at, 1).serialize().to_pybytes()}
            each = types.ReadRowsResponse(arrow_record_batch=row, row_count=1)
            yield types.ReadRowsResponse.serialize(each)


@pytest.fixture
def reading(
    bigquery_url: str, bigquery_emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reading]:
    assert bigquery_url
    reading = Reading(bigquery_emulator.grpc_address)

    class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # no types
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return reading.service(details)

    server = grpc.server(ThreadPoolExecutor(8), [Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("BIGQUERY_EMULATOR_GRPC", f"127.0.0.1:{port}")
    yield reading
    server.stop(None).wait()


def test_a_read_goes_on_after_the_last_row_that_arrived(
    bigquery_url: str, reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = open_warehouse(bigquery_url)
    load(warehouse, tmp_path, trips(range(8)))
    reading.ends = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, None]
    monkeypatch.setattr(bigquery_read, "SILENCE_SECONDS", 2)
    assert zones_of(warehouse) == list(range(8))
    assert reading.calls == 4


def test_a_read_that_brings_no_row_any_more_is_a_transient_error(
    bigquery_url: str, reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = open_warehouse(bigquery_url)
    load(warehouse, tmp_path, trips([1]))
    monkeypatch.setenv("BIGQUERY_EMULATOR_GRPC", "127.0.0.1:1")
    with pytest.raises(StoreUnavailable, match=re.escape("Reading ")):
        zones_of(warehouse)
    assert reading.calls == 0
