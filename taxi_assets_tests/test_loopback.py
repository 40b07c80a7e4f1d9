from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from taxi_assets_tests import loopback

ELSEWHERE = "192.0.2.1"  # reserved for documentation


@pytest.fixture
def _may_be_refused() -> Iterator[None]:
    yield
    loopback.refused.clear()


@pytest.mark.usefixtures("_may_be_refused")
@pytest.mark.parametrize("host", [ELSEWHERE, "10.0.0.1", "169.254.169.254"])
def test_a_connection_to_another_machine_is_blocked(host: str) -> None:
    with socket.socket() as client, pytest.raises(loopback.LeftThisMachine, match=host):
        client.connect((host, 80))
    with socket.socket() as client, pytest.raises(loopback.LeftThisMachine, match=host):
        client.connect_ex((host, 80))


@pytest.mark.usefixtures("_may_be_refused")
def test_a_dns_query_is_blocked() -> None:
    with pytest.raises(loopback.LeftThisMachine, match=r"nyc\.example"):
        socket.getaddrinfo("nyc.example", 443)


@pytest.mark.usefixtures("_may_be_refused")
def test_a_datagram_is_blocked() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as client,
        pytest.raises(loopback.LeftThisMachine),
    ):
        client.sendto(b"?", (ELSEWHERE, 53))


@pytest.mark.usefixtures("_may_be_refused")
def test_an_http_client_does_not_catch_the_error() -> None:
    with (
        httpx.Client(trust_env=False) as client,
        pytest.raises(loopback.LeftThisMachine, match=ELSEWHERE),
    ):
        client.get(f"http://{ELSEWHERE}/")
    assert ELSEWHERE in loopback.refused


def test_loopback_and_unix_sockets_are_allowed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "socket"))
        server.listen()
        client.connect(str(tmp_path / "socket"))


def test_a_child_process_has_a_proxy_that_does_not_exist_except_for_loopback() -> None:
    program = (
        "import urllib.request as r;"
        "print(r.getproxies()['http'], r.getproxies()['https'], r.proxy_bypass('127.0.0.1'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["http://127.0.0.1:1", "http://127.0.0.1:1", "True"], done


def test_a_test_fails_even_if_it_suppresses_the_error(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    conftest = root / "taxi_assets_tests" / "conftest.py"
    (tmp_path / "conftest.py").write_text(conftest.read_text())
    (tmp_path / "test_swallowing.py").write_text(
        "import contextlib, socket\n"
        "def test_swallows():\n"
        "    with contextlib.suppress(Exception), socket.socket() as client:\n"
        f"        client.connect(('{ELSEWHERE}', 80))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"this one reached for {ELSEWHERE}" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1
