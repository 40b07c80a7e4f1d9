"""The proxies of faults on the way do what they are named for, and what follows is judged."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest
from typing_extensions import override

from taxi_assets.errors import ConcurrentWrite, Misconfigured, StoreUnavailable
from taxi_assets_tests.emulators.http_proxy import HttpProxy
from taxi_assets_tests.emulators.postgres import Postgres
from taxi_assets_tests.emulators.server import HOST
from taxi_assets_tests.faults.operation import Operation
from taxi_assets_tests.faults.postgres_wire import PostgresProxy
from taxi_assets_tests.faults.result import Wrong
from taxi_assets_tests.faults.wire import judged
from taxi_assets_tests.faults.wire_faults import FAULTS, HttpFaults, Plan
from taxi_assets_tests.lake import canned

CONTENT = "0123456789" * 10


@pytest.fixture(scope="module")
def server() -> Iterator[canned.Canned]:
    with canned.running() as running:
        running.responses = [canned.Response("PUT", "/a", 200, {}, CONTENT)]
        yield running


def put(port: int) -> tuple[int, str]:
    """The answer to a request."""
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("PUT", "/a", "x" * 1000)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("fault", "reaches", "error"),
    [
        ("cut before the request", False, ConnectionError),
        ("cut in the request", None, ConnectionError),
        ("answer lost", True, ConnectionError),
        ("cut in the answer", True, http.client.IncompleteRead),
        ("silence", False, TimeoutError),
        ("429", False, 429),
        ("500", False, 500),
        ("503 for what was done", True, 503),
    ],
)
def test_one_request_has_the_fault(
    server: canned.Canned, fault: str, reaches: bool | None, error: type[Exception] | int
) -> None:
    plan = Plan(FAULTS[fault], at=2)
    port = int(server.url.rpartition(":")[2])
    with HttpProxy(0, (HOST, port), partial(HttpFaults, plan, "s3")) as proxy:
        assert put(proxy.port) == (200, CONTENT)
        server.requests.clear()
        if isinstance(error, int):
            assert put(proxy.port)[0] == error
        else:
            with pytest.raises(error):
                put(proxy.port)
        if reaches is not None:  # a server may notice half a request, or not
            assert len(server.requests) == reaches
        assert put(proxy.port) == (200, CONTENT)
    assert plan.requests == ["s3 PUT /a"] * 3


def test_all_requests_have_the_fault_from_then_on(server: canned.Canned) -> None:
    plan = Plan(FAULTS["503 from then on"], at=2)
    port = int(server.url.rpartition(":")[2])
    with HttpProxy(0, (HOST, port), partial(HttpFaults, plan, "azure")) as proxy:
        assert [put(proxy.port)[0] for _ in range(3)] == [200, 503, 503]


@pytest.mark.parametrize(
    ("fault", "rows"), [("cut before the request", 0), ("answer lost", 1), ("cut in the answer", 1)]
)
def test_a_commit_is_cut_before_or_after_it_is_done(
    postgres_emulator: Postgres, fault: str, rows: int
) -> None:
    with psycopg.connect(postgres_emulator.url, autocommit=True) as direct:
        direct.execute("CREATE TABLE cut (n int)")
        plan = Plan(FAULTS[fault], at=4)  # after start, BEGIN and INSERT
        with PostgresProxy((HOST, postgres_emulator.port), plan) as proxy:
            url = postgres_emulator.url.replace(f":{postgres_emulator.port}", f":{proxy.port}")
            connection = psycopg.connect(url)
            connection.execute("INSERT INTO cut VALUES (1)")
            with pytest.raises(psycopg.OperationalError):
                connection.commit()
        assert "COMMIT" in plan.requests[3]
        with direct.transaction():
            direct.execute("LOCK TABLE cut")  # until the server has ended the session
            found = direct.execute("SELECT count(*) FROM cut").fetchone()
        direct.execute("DROP TABLE cut")
    assert found == (rows,)


class _Done(Operation):
    """An operation that has left ``there``."""

    def __init__(self, there: str) -> None:
        self._there = there

    @override
    def prepare(self) -> None: ...

    @override
    def run(self) -> None: ...

    @override
    def state(self) -> str:
        return self._there

    @override
    def left(self) -> Iterator[str]:
        yield from ()


@pytest.mark.parametrize(
    ("there", "error", "seconds", "wrong"),
    [
        ("new", None, 1.0, []),
        ("old", StoreUnavailable("No answer.", "Try later."), 41.0, []),
        ("new", StoreUnavailable("No answer.", "Try later."), 1.0, []),
        ("old", None, 1.0, [Wrong.FALSE]),
        ("new", StoreUnavailable("No answer; nothing was stored.", "Try."), 1.0, [Wrong.FALSE]),
        ("new", ConcurrentWrite("Replaced by another run.", "Run."), 1.0, [Wrong.FALSE]),
        ("old", Misconfigured("There is no bucket.", "Create it."), 1.0, [Wrong.FALSE]),
        ("old", ValueError("what?"), 1.0, [Wrong.FALSE]),
        ("old", StoreUnavailable("No\nanswer.", "Try later."), 1.0, [Wrong.UNNAMED]),
        ("wrong: half", StoreUnavailable("No answer.", "Try later."), 1.0, [Wrong.MIXED]),
        ("old", StoreUnavailable("No answer.", "Try later."), 61.0, [Wrong.HANG]),
    ],
)
def test_what_follows_a_fault_is_judged(
    there: str, error: Exception | None, seconds: float, wrong: list[Wrong]
) -> None:
    assert [each.wrong for each in judged(_Done(there), error, seconds)] == wrong
