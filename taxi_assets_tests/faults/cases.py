"""Faults that are lists of cases of other modules: hostile servers, hostile files, canaries.

Each case runs in a process of its own, so that one that crashes or hangs is found as such.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from taxi_assets_tests.faults import canaries as canary_cases
from taxi_assets_tests.faults import hostile, hostile_parquet
from taxi_assets_tests.faults.bench import Bench
from taxi_assets_tests.faults.child import Child, Hung
from taxi_assets_tests.faults.result import Finding, Result, Wrong

__all__ = ["canaries", "hostile_files", "hostile_servers"]

_Judge = Callable[[Any, Any], list[Finding]]
_FILES = 500  # mutated files, at scale 1
_SECONDS = 960.0  # an unreachable cloud is retried for minutes


def hostile_servers(bench: Bench, stores: str) -> Iterator[Result]:
    """Downloads from servers that break every rule."""
    cases = [*hostile.hostile_cases()]
    yield from _run(
        bench, stores, "hostile server", _chosen(bench, cases), hostile.run_case, _server
    )


def hostile_files(bench: Bench, stores: str) -> Iterator[Result]:
    """Cleaning of mutated and hand-made Parquet files."""
    cases = hostile_parquet.cases(bench.seed, bench.scaled(_FILES))
    yield from _run(bench, stores, "hostile file", cases, hostile_parquet.run_case, _file)


def canaries(bench: Bench, stores: str) -> Iterator[Result]:
    """Failing runs with a secret in every setting."""
    cases = _chosen(bench, [*canary_cases.cases()])
    yield from _run(bench, stores, "canary", cases, canary_cases.run_case, _canary)


def _chosen(bench: Bench, cases: Sequence[Any]) -> Sequence[Any]:
    return random.Random(f"{bench.seed} {len(cases)}").sample(cases, bench.scaled(len(cases)))


def _run(
    bench: Bench,
    stores: str,
    kind: str,
    cases: Iterable[Any],
    run_case: Callable[[Any], Any],
    judge: _Judge,
) -> Iterator[Result]:
    folder = bench.stores.folder()
    own = {"TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    for case in cases:
        child = Child(partial(_judged, run_case, case, judge), own, folder / "log")
        yield Result(kind, stores, case.name, tuple(_findings(child, folder / "tmp")))


def _findings(child: Child[list[Finding]], temporary: Path) -> Iterator[Finding]:
    try:
        ended = child.wait(_SECONDS)
    except Hung as hung:
        yield Finding(Wrong.HANG, str(hung))
    except RuntimeError as error:
        yield Finding(Wrong.UNNAMED, str(error)[-600:])
    else:
        if ended.value is None:
            yield Finding(Wrong.UNNAMED, f"the process was ended by signal {ended.signal}")
        yield from ended.value or ()
    for path in temporary.iterdir():
        yield Finding(Wrong.LEFT, path.name)


def _judged(run_case: Callable[[Any], Any], case: Any, judge: _Judge) -> list[Finding]:
    tempfile.tempdir = None  # cached by the parent, of another TMPDIR
    return judge(case, run_case(case))


def _server(case: Any, outcome: Any) -> list[Finding]:
    wrong = hostile.wrong(case, outcome)
    if wrong is None:
        return []
    if not outcome.ended:
        return [Finding(Wrong.HANG, wrong)]
    return [Finding(Wrong.LEFT if outcome.files_left else Wrong.UNNAMED, wrong)]


def _file(_: Any, outcome: Any) -> list[Finding]:
    wrong = hostile_parquet.wrong(outcome)
    if wrong is None:
        return []
    if outcome.files_left:
        return [Finding(Wrong.LEFT, wrong)]
    return [Finding(Wrong.UNNAMED if outcome.named_error else Wrong.LOST, wrong)]


def _canary(_: Any, outcome: Any) -> list[Finding]:
    found = [Finding(Wrong.LEAK, each) for each in outcome.leaks]
    return found if outcome.named else [*found, Finding(Wrong.UNNAMED, "no one line")]
