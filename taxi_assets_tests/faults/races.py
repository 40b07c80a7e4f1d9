"""Two and four processes run one month at once, with several versions of it, while others read.

Each process has a home and scratch of its own, as two machines have, with lake and warehouse in
common. In every second race they share the home too, as two runs on one machine do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from taxi_assets_tests.faults import checks
from taxi_assets_tests.faults.bench import Bench, Subject
from taxi_assets_tests.faults.child import Child, Hung
from taxi_assets_tests.faults.platform import load_month
from taxi_assets_tests.faults.readers import Readers
from taxi_assets_tests.faults.result import Finding, Result, Wrong

__all__ = ["races"]

_RACES = {"local-duckdb": 20}
_REMOTE_RACES = 16
_SECONDS = 180.0  # four runs that wait for each other


def races(bench: Bench, pair: str) -> Iterator[Result]:
    """Race on one pair; the month is checked while they run, at the end, and after the next run."""
    rng = random.Random(f"{bench.seed} race {pair}")
    subject = bench.subject(pair)
    for number in range(bench.scaled(_RACES.get(pair, _REMOTE_RACES))):
        runs = rng.choice((2, 2, 4))
        delays = [0.0, *(rng.uniform(0.0, 0.7) for _ in range(runs - 1))]
        shared = number % 2 == 1
        with Readers(subject) as readers:
            findings = _race(subject, delays, shared=shared)
        findings += readers.findings
        versions = [*bench.versions]
        where = f"after the race of {', '.join(f'{delay:.2f} s' for delay in delays)}"
        try:
            findings += subject.settle(versions)
        except Hung as hung:
            findings.append(Finding(Wrong.HANG, f"{where}: {hung}"))
        name = f"race of {runs} runs"
        fault = f"{number}, {'one home' if shared else 'own homes'}"
        yield Result(name, pair, fault, tuple(findings), polls=readers.polls)
        if findings:
            subject.discard()
            subject = bench.subject(pair)
    subject.discard()


def _race(subject: Subject, delays: list[float], *, shared: bool) -> list[Finding]:
    """Start a run after each delay; each finds another version published."""
    findings: list[Finding] = []
    started: list[Child[str]] = []
    for number, delay in enumerate(delays):
        if started:
            started[-1].ended(delay)
        subject.reissue()
        home = subject.place.home if shared else subject.place.folder / f"home-{number}"
        own = {"TAXI_HOME": str(home), "TAXI_SCRATCH": str(home / "scratch")}
        started.append(subject.start(load_month, f"log-{number}", own))
    for run in started:
        try:
            outcome = run.wait(_SECONDS).value or ""
        except Hung as hung:
            findings.append(Finding(Wrong.HANG, str(hung)))
        else:
            findings += checks.named(outcome)
    subject.loaded = "?"
    return findings
