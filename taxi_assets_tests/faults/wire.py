"""Faults between a client and a real stand-in: at every request in turn, or at a seeded sample.

After a fault the operation has succeeded, or has failed with a ``TransientError`` that says
nothing false; nobody has waited longer than a minute; and after it was done again, the rows are
those of the new version, and nothing is left.
"""

from __future__ import annotations

import os
import random
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from taxi_assets.errors import TransientError
from taxi_assets_tests.emulators.http_proxy import HttpProxy
from taxi_assets_tests.faults.bench import Bench
from taxi_assets_tests.faults.child import Child, Hung
from taxi_assets_tests.faults.gcs_sessions import GcsSessions
from taxi_assets_tests.faults.lake_operations import LAKE_OPERATIONS
from taxi_assets_tests.faults.operation import Operation
from taxi_assets_tests.faults.platform import adopt, imported
from taxi_assets_tests.faults.postgres_wire import PostgresProxy
from taxi_assets_tests.faults.result import Finding, Result, Wrong
from taxi_assets_tests.faults.stores import Place
from taxi_assets_tests.faults.warehouse_operations import WAREHOUSE_OPERATIONS
from taxi_assets_tests.faults.wire_faults import FAULTS, Fault, HttpFaults, Plan

__all__ = ["judged", "wire"]

_OPERATIONS = LAKE_OPERATIONS | WAREHOUSE_OPERATIONS
_OF_PAIR = {
    "gcs-bigquery": (*LAKE_OPERATIONS, *WAREHOUSE_OPERATIONS),
    "s3-postgres": (*LAKE_OPERATIONS, "load", "read"),
    "azure-duckdb": (*LAKE_OPERATIONS,),
}
# At scale 1, of each operation and of each pair; all that there are, if there are fewer. For a slow
# one a client waits for most of a minute.
_QUICK, _SLOW = 80, 100
_AT_ONCE = 8
_WAIT_SECONDS = 60.0  # for one fault
_TRIAL_SECONDS = 300.0  # several at once, on stand-ins that are slow
_ADDRESSES = {
    "gcs": "STORAGE_EMULATOR_HOST",
    "bigquery": "BIGQUERY_EMULATOR_HOST",
    "s3": "AWS_ENDPOINT_URL",
    "azure": "AZURE_STORAGE_CONNECTION_STRING",
    "postgres": "TAXI_WAREHOUSE_URL",
}
_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")
_BLAMES = re.compile(r"another run|two runs", re.IGNORECASE)
_NOTHING = re.compile(r"[Nn]othing was (stored|loaded)|unchanged")


@dataclass(frozen=True, slots=True)
class _Trial:
    operation: str
    fault: str = ""
    at: int = 0
    request: str = ""

    @property
    def slow(self) -> bool:
        return FAULTS[self.fault].slow

    def __str__(self) -> str:
        return f"{self.operation}, {self.fault} at request {self.at}, {self.request}"


def wire(bench: Bench, pair: str) -> Iterator[Result]:
    """Disturb each operation of one pair; several trials at once, each in a place of its own."""
    rng = random.Random(f"{bench.seed} wire {pair}")
    slow: list[_Trial] = []
    quick: list[_Trial] = []
    for operation in _OF_PAIR[pair]:
        trials = [*_all_trials(bench, pair, operation)]
        slow += [each for each in trials if each.slow]
        quick += _sample(rng, [each for each in trials if not each.slow], bench.scaled(_QUICK))
    chosen = [*_sample(rng, slow, bench.scaled(_SLOW)), *quick]
    for start in range(0, len(chosen), _AT_ONCE):
        yield from _at_once(bench, pair, chosen[start : start + _AT_ONCE])


def _sample(rng: random.Random, trials: Sequence[_Trial], most: int) -> list[_Trial]:
    return rng.sample(trials, min(most, len(trials)))


def _all_trials(bench: Bench, pair: str, operation: str) -> Iterator[_Trial]:
    """Each fault at each request of an undisturbed operation."""
    place = bench.stores.place(pair, bench.site.url, {})
    work = partial(_undisturbed, place, _Trial(operation))
    plan, modules = _value(Child(work, place.environment, place.log))
    adopt(modules)
    bench.stores.discard(place)
    for at, (request, of_session) in enumerate(plan, start=1):
        for fault in FAULTS.values():
            if _can_have(request, fault, of_session=of_session):
                yield _Trial(operation, fault.name, at, request[:60])


def _can_have(request: str, fault: Fault, *, of_session: bool) -> bool:
    """Whether that service answers so, and whether its client can notice silence."""
    if request.startswith("postgres"):
        # A proxy of this machine acknowledges what it does not answer, so only a time limit helps.
        return not fault.status and (not fault.silent or "COMMIT" in request)
    if fault.status == 410 and request.startswith("s3"):
        return False
    return of_session or not fault.of_session


def _at_once(bench: Bench, pair: str, trials: Sequence[_Trial]) -> Iterator[Result]:
    places = [bench.stores.place(pair, bench.site.url, {}) for _ in trials]
    children = [
        Child(partial(_disturbed, place, trial), place.environment, place.log)
        for place, trial in zip(places, trials, strict=True)
    ]
    for place, trial, child in zip(places, trials, children, strict=True):
        try:
            findings = child.wait(_TRIAL_SECONDS).value or []
        except Hung as hung:
            findings = [Finding(Wrong.HANG, str(hung))]
        yield Result("fault on the way", pair, str(trial), tuple(findings))
        bench.stores.discard(place)


def _value(child: Child[Any]) -> Any:
    return child.wait().value


def _undisturbed(place: Place, trial: _Trial) -> tuple[list[tuple[str, bool]], list[str]]:
    operation, plan = _prepared(place, trial), Plan()
    with _proxied(place, plan):
        operation.run()
    assert operation.state() == "new", operation.state()
    assert not operation.leftovers(), operation.leftovers()
    return [*zip(plan.requests, plan.of_session, strict=True)], imported()


def _disturbed(place: Place, trial: _Trial) -> list[Finding]:
    operation, plan = _prepared(place, trial), Plan(FAULTS[trial.fault], trial.at)
    error: Exception | None = None
    with _proxied(place, plan):
        try:
            operation.run()
        except Exception as raised:  # noqa: BLE001 - judged
            error = raised
    seconds = 0.0 if plan.struck is None else time.monotonic() - plan.struck
    return [*judged(operation, error, seconds), *_done_again(operation)]


def judged(operation: Operation, error: Exception | None, seconds: float) -> Iterator[Finding]:
    """What is wrong after an operation that raised ``error``, if any, ``seconds`` after a fault."""
    state = operation.state()
    said = f"{type(error).__name__}: {error}"
    if seconds > _WAIT_SECONDS:
        yield Finding(Wrong.HANG, f"{seconds:.0f} s until: {said}")
    if state.startswith("wrong"):
        yield Finding(Wrong.MIXED, f"{state} after: {said}")
    if error is None:
        if state != "new":
            yield Finding(Wrong.FALSE, f"it succeeded, but there is still: {state}")
        return
    if not isinstance(error, TransientError) or _BLAMES.search(str(error)):
        yield Finding(Wrong.FALSE, f"with {state}: {said}")
    elif "\n" in str(error) or not error.remedy:
        yield Finding(Wrong.UNNAMED, said)
    if state != "old" and _NOTHING.search(str(error)):
        yield Finding(Wrong.FALSE, f"there is {state}: {said}")


def _done_again(operation: Operation) -> Iterator[Finding]:
    try:
        operation.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        yield Finding(Wrong.LOST, f"the next run fails: {type(error).__name__}: {error}")
        return
    if (state := operation.state()) != "new":
        yield Finding(Wrong.LOST, f"after the next run: {state}")
    yield from (Finding(Wrong.LEFT, each) for each in operation.leftovers())


def _prepared(place: Place, trial: _Trial) -> Operation:
    tempfile.tempdir = None  # cached by the parent, of another TMPDIR
    operation = _OPERATIONS[trial.operation](place)
    operation.prepare()
    return operation


@contextmanager
def _proxied(place: Place, plan: Plan) -> Iterator[None]:
    """Clients that are opened during the block go through proxies."""
    with ExitStack() as stack:
        for service in place.stores.split("-"):
            if service not in _ADDRESSES:
                continue
            name = _ADDRESSES[service]
            [port] = _ADDRESS.findall(place.environment[name])
            proxy = _proxy(service, int(port), plan)
            stack.enter_context(proxy)
            old, new = f"127.0.0.1:{port}", f"127.0.0.1:{proxy.port}"
            os.environ[name] = place.environment[name].replace(old, new)
        yield
    os.environ.update(place.environment)


def _proxy(service: str, port: int, plan: Plan) -> HttpProxy | PostgresProxy:
    server = ("127.0.0.1", port)
    if service == "postgres":
        return PostgresProxy(server, plan)
    sessions = GcsSessions(f"http://127.0.0.1:{port}") if service == "gcs" else None
    return HttpProxy(0, server, partial(HttpFaults, plan, service, sessions))
