"""A month reissued A, B, A, B while Dagster's real daemon runs the sensor that polls TLC.

Each version is loaded once, in four runs, and every reason that a tick gives is compared with what
was published and loaded at that time.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from taxi_assets_tests.automation.deployment import Deployment
from taxi_assets_tests.faults.bench import Bench, Subject
from taxi_assets_tests.faults.months import MONTH, SPEC
from taxi_assets_tests.faults.result import Finding, Result, Wrong

__all__ = ["daemon"]

_KIND = "reissues A, B, A, B by the daemon"
_SENSOR = f"{SPEC.name}_published"
_VERSIONS = "ABAB"
_SECONDS = 180.0  # for one version to be loaded
_CLAIMS = {
    "failed": re.compile(r"Requested but not loaded: ([^.]*)"),
    "running": re.compile(r"In a run: ([^.]*)"),
    "current": re.compile(r"Polled ([^.:]*): none newly published or reissued"),
    "absent": re.compile(r"TLC (?:has not published|no longer publishes) ([^.(]*)"),
    "unanswered": re.compile(r"TLC did not answer for ([^.]*)"),
}


@dataclass(frozen=True, slots=True)
class _Load:
    """One version: when it was published, and when its run was seen started and ended."""

    version: str
    published: float
    run: Mapping[str, Any]


def daemon(bench: Bench, pair: str) -> Iterator[Result]:
    """Four versions in turn; a result for each; the last has what the ticks said."""
    rng = random.Random(f"{bench.seed} daemon")
    subject = bench.subject(pair, loaded=False)
    subject.publish("A")
    settings = {**subject.place.environment, "TAXI_SENSOR_SECONDS": "1"}
    deployment = Deployment(subject.place.folder / "deployment", settings)
    loads: list[_Load] = []
    findings: list[Finding] = []
    with deployment.running(), deployment.daemon():
        published = time.time()
        deployment.start_sensor(_SENSOR)
        for number, version in enumerate(_VERSIONS):
            if number:
                yield Result(_KIND, pair, f"{number}, version {loads[-1].version}", (*findings,))
                published = time.time()
                subject.publish(version)
            run = _run_after(deployment, {load.run["runId"] for load in loads})
            findings = [*_loaded(subject, run, version)]
            if run is None:
                break
            loads.append(_Load(version, published, run))
            # Some ticks with nothing to do, and some that meet the reissue.
            time.sleep(rng.uniform(1.0, 4.0))
        ticks, runs = deployment.ticks(_SENSOR), deployment.runs()
    findings += _false(ticks, loads)
    if len(runs) != len(_VERSIONS):
        findings.append(Finding(Wrong.DOUBLED, f"{len(runs)} runs for {_VERSIONS}"))
    yield Result(_KIND, pair, f"{len(loads)}, and all ticks", (*findings,), polls=len(ticks))
    subject.discard()


def _run_after(deployment: Deployment, known: set[str]) -> dict[str, Any] | None:
    """The next run, once it has ended."""

    def ended() -> dict[str, Any] | None:
        for run in deployment.runs():
            if run["runId"] not in known and run["status"] in ("SUCCESS", "FAILURE"):
                return run
        return None

    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        if run := ended():
            return run
        time.sleep(0.5)
    return None


def _loaded(subject: Subject, run: Mapping[str, Any] | None, version: str) -> Iterator[Finding]:
    if run is None:
        yield Finding(Wrong.HANG, f"version {version} was not loaded in {_SECONDS:.0f} s")
        return
    if run["status"] != "SUCCESS":
        yield Finding(Wrong.LOST, f"the run of version {version} failed: {run['runId']}")
    yield from subject.look([version])


def _false(ticks: list[dict[str, Any]], loads: list[_Load]) -> Iterator[Finding]:
    """Reasons that were not true at any time of their tick."""
    for tick in ticks:
        at, reason = tick["timestamp"], tick["skipReason"] or ""
        if tick["error"]:
            yield Finding(Wrong.UNNAMED, f"a tick failed: {tick['error']['message'][:300]}")
        for claim, pattern in _CLAIMS.items():
            found = pattern.search(reason)
            if found and str(MONTH) in found[1] and not _was_true(claim, at, loads):
                yield Finding(Wrong.FALSE, f"a tick said: {reason}")


def _was_true(claim: str, at: float, loads: list[_Load]) -> bool:
    """Whether a tick that began ``at`` may say this of the month; a tick takes up to a second."""
    running = [load for load in loads if load.published < at + 1.5 and _end(load) > at - 0.5]
    if claim == "running":
        return bool(running)
    # It is loaded whenever no reissue is on its way, and it never failed or was withdrawn.
    return claim == "current" and not any(
        load.published < at - 0.5 and _end(load) > at + 1.5 for load in loads
    )


def _end(load: _Load) -> float:
    return float(load.run["endTime"])
