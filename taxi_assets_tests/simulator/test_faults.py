from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.faults import Fault, Kind
from taxi_assets.simulator.server import Simulator

GREEN = "/trip-data/green_tripdata_2024-01.parquet"
YELLOW = "/trip-data/yellow_tripdata_2024-01.parquet"


@pytest.fixture
def content(tlc: Simulator) -> bytes:
    """The bytes of the green month; a yellow one is published beside it."""
    tlc.publish("yellow", Month(2024, 1), rows=500)
    return tlc.publish("green", Month(2024, 1), rows=8_000).read_bytes()


def statuses(client: httpx.Client, *paths: str) -> list[int]:
    return [client.get(path).status_code for path in paths]


def test_a_status_is_returned_the_given_number_of_times(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.fail(503, times=2)
    assert statuses(client, GREEN, GREEN, GREEN) == [503, 503, 200]


def test_a_fault_applies_to_its_path_only(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.fail(500, path="/trip-data/yellow_*", times=None)
    assert statuses(client, GREEN, YELLOW, YELLOW, GREEN) == [200, 500, 500, 200]


def test_too_many_requests_comes_with_retry_after(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.fail(429, retry_after=7)
    response = client.get(GREEN)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert "Retry-After" not in client.get(GREEN).headers


def test_a_blocked_client_gets_403_until_cleared(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.block()
    assert statuses(client, GREEN, YELLOW, "/misc/x", GREEN) == [403] * 4
    assert b"AccessDenied" in client.get(GREEN).content
    tlc.faults.clear()
    assert statuses(client, GREEN) == [200]


def received_before_the_cut(client: httpx.Client, headers: dict[str, str]) -> bytes:
    """The bytes received of the green month; fails unless the connection is cut."""
    received = bytearray()
    with (
        client.stream("GET", GREEN, headers=headers) as response,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        collect(response, received)
    return bytes(received)


def collect(response: httpx.Response, into: bytearray) -> None:
    for chunk in response.iter_raw():
        into += chunk


@pytest.mark.parametrize("after", [0, 1, 100_000])
def test_a_cut_connection_delivers_the_first_bytes(
    tlc: Simulator, client: httpx.Client, content: bytes, after: int
) -> None:
    assert len(content) > 150_000
    tlc.faults.cut(after, path=GREEN)
    assert received_before_the_cut(client, {}) == content[:after]
    rest = client.get(GREEN, headers={"Range": f"bytes={after}-"})
    assert rest.content == content[after:]


def test_a_cut_counts_the_bytes_of_the_response(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.cut(10)
    assert received_before_the_cut(client, {"Range": "bytes=1000-"}) == content[1000:1010]


def test_a_cut_applies_to_the_next_response_with_a_file(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.cut(10)
    etag = client.head(GREEN).headers["ETag"]
    assert client.get(GREEN, headers={"If-None-Match": etag}).status_code == 304
    assert statuses(client, "/trip-data/nothing") == [403]
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(GREEN)


def test_a_corrupt_body_has_one_wrong_byte_under_the_right_etag(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.corrupt()
    corrupt, intact = client.get(GREEN), client.get(GREEN)
    assert intact.content == content
    assert corrupt.headers["ETag"] == intact.headers["ETag"]
    assert len(corrupt.content) == len(content)
    different = [at for at, byte in enumerate(corrupt.content) if byte != content[at]]
    assert different == [len(content) // 2]


def test_a_web_page_is_served_instead_of_the_file(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.html(path=GREEN)
    page = client.get(GREEN)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html"
    assert page.content.startswith(b"<!DOCTYPE html>")
    assert "ETag" not in page.headers
    assert client.get(GREEN).content == content


def test_a_stalled_response_exceeds_the_clients_timeout(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.stall(30)
    with pytest.raises(httpx.ReadTimeout):
        client.get(GREEN, timeout=0.2)
    assert client.get(GREEN).content == content


def test_a_stalled_response_is_complete(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.stall(0.2)
    begun = time.monotonic()
    assert client.get(GREEN).content == content
    assert time.monotonic() - begun >= 0.2


def test_stopping_does_not_wait_for_a_stall(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path)
    simulator.faults.stall(60)
    failed = threading.Event()

    def ask() -> None:
        try:
            httpx.get(simulator.url + GREEN, timeout=50)
        except httpx.TransportError:
            failed.set()

    waiting = threading.Thread(target=ask)
    waiting.start()
    while simulator.faults.as_json():
        assert waiting.is_alive()
    simulator.stop()
    waiting.join(timeout=10)
    assert failed.is_set()


def test_faults_apply_in_the_order_they_were_added(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.fail(500)
    tlc.faults.fail(503)
    tlc.faults.fail(500)
    assert statuses(client, GREEN, GREEN, GREEN, GREEN) == [500, 503, 500, 200]


def test_faulty_responses_are_logged_with_their_status(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.fail(503)
    tlc.faults.html()
    statuses(client, GREEN, GREEN, GREEN)
    assert [request.status for request in tlc.requests] == [503, 200, 200]


def test_faults_can_be_set_over_http(tlc: Simulator, client: httpx.Client, content: bytes) -> None:
    response = client.post(
        "/_faults", json={"kind": "status", "status": 429, "times": 2, "retry_after": 3}
    )
    assert response.status_code == 201
    assert client.get(GREEN).headers["Retry-After"] == "3"
    (waiting,) = client.get("/_faults").json()
    assert (waiting["kind"], waiting["status"], waiting["times"]) == ("status", 429, 1)
    assert client.delete("/_faults").json() == []
    assert statuses(client, GREEN) == [200]
    assert tlc.faults.as_json() == []


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_can_be_set_over_http(tlc: Simulator, client: httpx.Client, kind: Kind) -> None:
    assert client.post("/_faults", json={"kind": kind.value}).status_code == 201
    assert tlc.faults.as_json()[0]["kind"] is kind


def test_control_requests_are_not_affected_by_faults(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.faults.block()
    assert client.get("/_faults").status_code == 200
    assert client.get("/_requests").json() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Expecting"),
        (b"[]", "a fault is a JSON object"),
        (b"{}", "kind"),
        (b'{"kind": "flood"}', "flood"),
        (b'{"kind": "cut", "bytes": 3}', "its fields are kind, path, times"),
        (b'{"kind": "cut", "times": 0}', "times must be 1 or more"),
        (b'{"kind": "cut", "times": "two"}', "cannot read the fault"),
        (b'{"kind": "cut", "after_bytes": -1}', "must not be negative"),
        (b'{"kind": "status", "status": 200}', "status must be a known error"),
        (b'{"kind": "status", "status": 599}', "status must be a known error"),
    ],
)
def test_an_invalid_fault_is_refused_with_a_message(
    tlc: Simulator, client: httpx.Client, body: bytes, message: str
) -> None:
    response = client.post("/_faults", content=body)
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert tlc.faults.as_json() == []


def test_invalid_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="status must be a known error"):
        Fault(Kind.STATUS, status=302)
