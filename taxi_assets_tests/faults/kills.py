"""Kill a run of the month at every operation; then read it, run it again, and compare."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import partial

from taxi_assets_tests.faults.bench import Bench
from taxi_assets_tests.faults.child import Hung
from taxi_assets_tests.faults.killing import OPERATIONS, Operations
from taxi_assets_tests.faults.platform import load_month
from taxi_assets_tests.faults.result import Finding, Result, Wrong

__all__ = ["kills"]

# Kills at operations of each kind and at random instants, by pair, at scale 1.
_OPERATIONS = {"local-duckdb": 200}
_REMOTE_OPERATIONS = 20
_INSTANTS = {"local-duckdb": 100}
_REMOTE_INSTANTS = 30
_FIRST_LOADS = 60


def kills(bench: Bench, pair: str) -> Iterator[Result]:
    """Kill runs that replace a month by its reissue and, locally, runs that load it first."""
    rng = random.Random(f"{bench.seed} kill {pair}")
    scene = _Scene(bench, pair)
    for kind in OPERATIONS:
        total = scene.count(kind)
        most = bench.scaled(_OPERATIONS.get(pair, _REMOTE_OPERATIONS))
        for at in sorted(rng.sample(range(1, total + 1), min(most, total))):
            yield from scene.kill(f"before {kind} {at}", partial(_counted, scene.folders, kind, at))
    seconds = scene.duration()
    for _ in range(bench.scaled(_INSTANTS.get(pair, _REMOTE_INSTANTS))):
        part = rng.random()
        yield from scene.kill(f"after {part:.4f} of the run", load_month, part * seconds)
    if pair == "local-duckdb":
        scene.renew(loaded=False)
        total = scene.count("file")
        most = min(bench.scaled(_FIRST_LOADS), total)
        for at in sorted(rng.sample(range(1, total + 1), most)):
            scene.renew(loaded=False)
            yield from scene.kill(f"before file {at}", partial(_counted, scene.folders, "file", at))
    scene.subject.discard()


class _Scene:
    """One subject after the other: a new one after each finding."""

    def __init__(self, bench: Bench, pair: str) -> None:
        self._bench, self._pair = bench, pair
        self.subject = bench.subject(pair)

    @property
    def folders(self) -> list[str]:
        """Where file operations count."""
        return [str(self.subject.place.folder)]

    def renew(self, *, loaded: bool = True) -> None:
        """New stores: with version A, or empty."""
        self.subject.discard()
        self.subject = self._bench.subject(self._pair, loaded=loaded)

    def count(self, kind: str) -> int:
        """How many operations an undisturbed run has."""
        self.subject.reissue()
        outcome, total = self.subject.call(partial(_counted, self.folders, kind, 0))
        assert not outcome, outcome
        self.subject.loaded = self.subject.published
        return total

    def duration(self) -> float:
        """Seconds from fork to the end of an undisturbed run."""
        self.subject.reissue()
        started = time.monotonic()
        self.subject.call(load_month)
        self.subject.loaded = self.subject.published
        return time.monotonic() - started

    def kill(
        self, fault: str, work: Callable[[], object], after: float | None = None
    ) -> Iterator[Result]:
        """Run ``work``, which kills itself or is killed ``after`` so many seconds."""
        subject = self.subject
        before, new = subject.loaded, subject.reissue()
        child = subject.start(work)
        if after is not None and not child.ended(after):
            child.kill()
        findings: list[Finding] = []
        try:
            if child.wait().signal is None:  # it ended before its turn came
                subject.loaded = new
                return
            findings += subject.settle([before, new])
        except Hung as hung:
            findings.append(Finding(Wrong.HANG, str(hung)))
        kind = "kill a first load" if before == "none" else "kill a reissue"
        yield Result(kind, self._pair, fault, tuple(findings))
        if findings:
            self.renew()


def _counted(folders: list[str], kind: str, at: int) -> tuple[str, int]:
    operations = Operations(kind, folders, at)
    outcome = load_month(operations.arm)
    return outcome, operations.count
