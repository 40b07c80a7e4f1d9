"""Requests that a web page makes a browser send to the simulator."""

from __future__ import annotations

import socket

import httpx
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator

PATH = "/trip-data/green_tripdata_2024-01.parquet"
FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "evil.example:80"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": "[::1"},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "https://127.0.0.1"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
FAULT = b'{"kind": "status", "status": 503}'


REQUESTS = [
    ("GET", PATH), ("HEAD", PATH), ("POST", "/_faults"), ("DELETE", "/_faults"),
    ("GET", "/_requests"), ("DELETE", "/_requests"), ("OPTIONS", "/_faults"),
]  # fmt: skip


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_request_of_another_site_is_refused_and_changes_nothing(
    tlc: Simulator, client: httpx.Client, headers: dict[str, str]
) -> None:
    tlc.publish("green", Month(2024, 1), rows=10)
    client.get("/absent")
    tlc.faults.cut(7, path="/other")
    before = (tlc.requests, tlc.faults.as_json())
    for method, path in REQUESTS:
        response = client.request(method, path, headers=headers, content=FAULT)
        assert response.status_code == 403, f"{method} {path}"
        assert b"PAR1" not in response.content
        assert (tlc.requests, tlc.faults.as_json()) == before


def test_a_request_without_a_host_is_refused(tlc: Simulator) -> None:

    with socket.create_connection(("127.0.0.1", int(tlc.url.rpartition(":")[2]))) as raw:
        raw.sendall(b"GET /_faults HTTP/1.0\r\n\r\n")
        assert raw.makefile("rb").readline().split()[1] == b"403"


def test_the_body_of_a_refused_request_is_not_the_next_request(
    tlc: Simulator, client: httpx.Client
) -> None:
    smuggled = b"DELETE /_faults HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    tlc.faults.fail()
    client.post("/_faults", content=smuggled, headers={"Origin": "http://evil.example"})
    assert client.get("/_faults").json() == tlc.faults.as_json() != []


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_this_machine_is_answered_by_any_of_its_names(
    tlc: Simulator, client: httpx.Client, name: str
) -> None:
    host = f"{name}:{tlc.url.rpartition(':')[2]}"
    tlc.publish("green", Month(2024, 1), rows=10)
    own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert client.get(PATH, headers={"Host": host}).status_code == 200
    assert client.get(PATH, headers={"Host": host, "Sec-Fetch-Site": "none"}).status_code == 200
    assert client.post("/_faults", content=FAULT, headers=own).status_code == 201
