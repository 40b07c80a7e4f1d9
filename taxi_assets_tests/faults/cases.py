"""Faults that are lists of cases of other modules: hostile servers, hostile files, canaries.

Each case runs in a process of its own, so that one that crashes or hangs is found as such.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from taxi_assets import errors
from taxi_assets_tests.faults.bench import Bench
from taxi_assets_tests.faults.child import Child, Hung
from taxi_assets_tests.faults.result import Finding, Result, Wrong

__all__ = ["canaries", "hostile_files", "hostile_servers"]

_Judge = Callable[[Any, Any], list[Finding]]
_FILES = 500  # mutated files, at scale 1
_SECONDS = 960.0  # an unreachable cloud is retried for minutes


def hostile_servers(bench: Bench, stores: str) -> Iterator[Result]:
    """Downloads from servers that break every rule."""
    yield from _run(
        bench, stores, "hostile server", "hostile", lambda module: module.hostile_cases(), _server
    )


def hostile_files(bench: Bench, stores: str) -> Iterator[Result]:
    """Cleaning of mutated and hand-made Parquet files."""
    count = bench.scaled(_FILES)
    yield from _run(
        bench,
        stores,
        "hostile file",
        "hostile_parquet",
        lambda module: module.cases(bench.seed, count),
        _file,
    )


def canaries(bench: Bench, stores: str) -> Iterator[Result]:
    """Failing runs with a secret in every setting."""
    yield from _run(bench, stores, "canary", "canaries", lambda module: module.cases(), _canary)


def _run(
    bench: Bench,
    stores: str,
    kind: str,
    name: str,
    cases_of: Callable[[Any], Iterable[Any]],
    judge: _Judge,
) -> Iterator[Result]:
    name = f"taxi_assets_tests.faults.{name}"
    if importlib.util.find_spec(name) is None:
        yield Result(kind, stores, "", skipped=f"{name} is not there")
        return
    module = importlib.import_module(name)
    cases = [*cases_of(module)]
    chosen = random.Random(f"{bench.seed} {kind}").sample(cases, bench.scaled(len(cases)))
    folder = bench.stores.folder()
    own = {"TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    for case in chosen:
        child = Child(partial(_judged, module, case, judge), own, folder / "log")
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


def _judged(module: Any, case: Any, judge: _Judge) -> list[Finding]:
    tempfile.tempdir = None  # cached by the parent, of another TMPDIR
    return judge((module, case), module.run_case(case))


def _server(asked: Any, outcome: Any) -> list[Finding]:
    module, case = asked
    wrong = module.wrong(case, outcome)
    if wrong is None:
        return []
    if not outcome.ended:
        return [Finding(Wrong.HANG, wrong)]
    return [Finding(Wrong.LEFT if outcome.files_left else Wrong.UNNAMED, wrong)]


def _file(_: Any, outcome: Any) -> list[Finding]:
    found = [Finding(Wrong.LEFT, str(each)) for each in outcome.files_left]
    if outcome.named_error is None:
        return [*found, *([] if outcome.rows_ok else [Finding(Wrong.LOST, outcome.message)])]
    if "\n" in outcome.message or outcome.named_error not in errors.__all__:
        found.append(Finding(Wrong.UNNAMED, f"{outcome.named_error}: {outcome.message}"[:600]))
    return found


def _canary(_: Any, outcome: Any) -> list[Finding]:
    found = [Finding(Wrong.LEAK, each) for each in outcome.leaks]
    return found if outcome.named else [*found, Finding(Wrong.UNNAMED, "no one line")]
