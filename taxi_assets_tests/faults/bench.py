"""What every kind of fault works with: the seed, the stores, a simulated TLC, two versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from taxi_assets_tests.faults import checks, months
from taxi_assets_tests.faults.child import Child, call
from taxi_assets_tests.faults.lake_reader import create_bucket
from taxi_assets_tests.faults.months import Site, Version
from taxi_assets_tests.faults.platform import adopt, imported, load_month, warm_up
from taxi_assets_tests.faults.result import Finding, Wrong
from taxi_assets_tests.faults.stores import Place, Stores
from taxi_assets_tests.faults.warehouse_reader import create

__all__ = ["Bench", "Subject", "bench"]

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Bench:
    """The tools of one run of the harness."""

    seed: int
    scale: float
    stores: Stores
    site: Site
    versions: Mapping[str, Version]

    def scaled(self, count: int) -> int:
        """How many of ``count`` faults to inject at this scale, at least one."""
        return max(1, round(count * self.scale))

    def subject(
        self, pair: str, *, loaded: bool = True, settings: Mapping[str, str] | None = None
    ) -> Subject:
        """A new place on a pair that is available: with version A, or empty."""
        made = Subject(self, self.stores.place(pair, self.site.url, settings or {}))
        if loaded:
            made.publish("A")
            found = made.settle()
            assert not found, f"an undisturbed first load: {found}"
        return made


class Subject:
    """A place, with the version that is ``loaded`` there."""

    def __init__(self, bench: Bench, place: Place) -> None:
        self.bench, self.place = bench, place
        self.loaded = self.published = "none"
        self.call(partial(_create, place))

    def publish(self, name: str) -> str:
        """Publish a version at TLC."""
        self.bench.site.publish(self.bench.versions[name])
        self.published = name
        return name

    def reissue(self) -> str:
        """Publish the next version; it comes back after the others."""
        names = [*self.bench.versions]
        at = names.index(self.published) + 1 if self.published in names else 0
        return self.publish(names[at % len(names)])

    def start(
        self,
        work: Callable[[], Value],
        log: str = "log",
        settings: Mapping[str, str] | None = None,
    ) -> Child[Value]:
        """Start ``work`` in a process here; ``settings`` replace the place's."""
        environment = {**self.place.environment, **(settings or {})}
        return Child(work, environment, self.place.folder / log)

    def call(self, work: Callable[[], Value]) -> Value:
        """The result of ``work`` in a process here."""
        return call(work, self.place.environment, self.place.log)

    def settle(self, before: Sequence[str] | None = None) -> list[Finding]:
        """Read the month, run it undisturbed, and check that it is then the published version.

        ``before`` are the versions that may be there before the run; without them it is not read.
        What a killed run has left must be gone after that run and one more, which writes.
        """
        findings, left = self._run_undisturbed(before)
        if left:
            self.reissue()
            more, still_left = self._run_undisturbed(None)
            findings += [*more, *(Finding(Wrong.LEFT, each) for each in left & still_left)]
        return findings

    def _run_undisturbed(self, before: Sequence[str] | None) -> tuple[list[Finding], set[str]]:
        work = partial(_settle, self.place, self.bench.versions, before, self.published)
        findings, modules = self.call(work)
        adopt(modules)
        self.loaded = self.published
        # By another process: a run's folder may last as long as its process.
        return findings, self.call(partial(checks.left_behind, self.place))

    def look(self, allowed: Sequence[str]) -> tuple[Finding, ...]:
        """What is wrong with what readers see now."""
        return self.call(partial(checks.look, self.place, self.bench.versions, allowed)).findings

    def discard(self) -> None:
        """Remove the local files."""
        self.bench.stores.discard(self.place)


@contextmanager
def bench(seed: int) -> Iterator[Bench]:
    """The tools, until the block ends."""
    warm_up()
    with Stores() as stores:
        folder = stores.folder()
        made = call(partial(months.versions, folder, seed), {}, folder / "log")
        with months.serving_tlc(stores.folder()) as site:
            yield Bench(seed, 1.0, stores, site, made)


def _create(place: Place) -> None:
    create_bucket(place.lake_url)
    create(place.warehouse_url)


def _settle(
    place: Place, versions: Mapping[str, Version], before: Sequence[str] | None, published: str
) -> tuple[list[Finding], list[str]]:
    findings = [] if before is None else [*checks.look(place, versions, before).findings]
    outcome = load_month()
    if outcome:
        findings += [Finding(Wrong.LOST, f"the next run fails: {outcome}")]
        return [*findings, *checks.named(outcome)], imported()
    seen = checks.look(place, versions, [published])
    findings += seen.findings
    if seen.warehouse == "apart":
        what = "warehouse: still of two versions after the next run"
        findings.append(Finding(Wrong.MIXED, what))
    return findings, imported()
