"""Hostile servers on loopback: what each does, and how a download from it must end.

    for case in hostile_cases():
        outcome = run_case(case)
        assert wrong(case, outcome) is None

A case must end within its bound in success or in an error of ours, and leave neither a file that
was not verified nor a part that cannot be resumed.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from taxi_assets.datasets.month import Month
from taxi_assets.errors import CorruptDownload, MonthNotPublished
from taxi_assets.tlc import TlcClient
from taxi_assets_tests.faults.hostile_answers import (
    ENCODINGS,
    FILE,
    FILES,
    FRAMES,
    HEADERS,
    RANGES,
    REDIRECTS,
    SECRET,
    SIZES,
    STATUSES,
    TIMES,
    Errors,
)
from taxi_assets_tests.tlc.wire import Answer, Wire

__all__ = ["Case", "Outcome", "hostile_cases", "run_case", "wrong"]

# Threads are told apart by their names, which cases that run at the same time would share.
_ALONE = threading.Lock()

Ask = Callable[[TlcClient, Path], object]


@dataclass(frozen=True, slots=True)
class Case:
    """One behaviour of a server; ``errors`` are the ways it may end, none for a success."""

    name: str
    answer: Answer
    errors: Errors
    ask: Ask
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended: the class of its error, and the files that must not have been left."""

    name: str
    error_class: type[BaseException] | None
    seconds: float
    files_left: tuple[str, ...]
    message: str = ""
    ended: bool = True


def run_case(case: Case) -> Outcome:
    """Serve ``case`` and download from it; returns after its bound even if it goes on."""
    raised: list[BaseException | None] = []
    with tempfile.TemporaryDirectory() as scratch, Wire(case.answer) as wire:
        folder = Path(scratch)

        def run() -> None:
            try:
                with TlcClient(
                    wire.url, attempts=2, backoff_seconds=0, timeout_seconds=0.15
                ) as client:
                    case.ask(client, folder)
            except BaseException as error:  # noqa: BLE001 - which one it is is what is examined
                raised.append(error)
            else:
                raised.append(None)

        started = time.monotonic()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(case.seconds)
        seconds = time.monotonic() - started
        if not raised:
            return Outcome(case.name, None, seconds, (), ended=False)
        error = raised[0]
        left = tuple(sorted({path.name for path in folder.iterdir()} - _may_stay(error)))
    return Outcome(case.name, type(error) if error else None, seconds, left, str(error or ""))


def wrong(case: Case, outcome: Outcome) -> str | None:
    """What must not have happened, in one line; None if all is as it must be."""
    if not outcome.ended:
        return f"not over after {case.seconds:g} seconds"
    if outcome.error_class is None:
        return f"no error, but {_names(case)}" if case.errors else _left(outcome)
    if not issubclass(outcome.error_class, case.errors):
        return f"{outcome.error_class.__name__} instead of {_names(case)}: {outcome.message[:200]}"
    if len(outcome.message) > 1000 or "\n" in outcome.message or SECRET in outcome.message:
        return f"a message of {len(outcome.message)} characters: {outcome.message[:200]!r}"
    return _left(outcome)


def hostile_cases() -> Iterator[Case]:
    """All cases, in the same order each time."""
    for name, answer, errors in (*SIZES, *TIMES, *ENCODINGS, *FRAMES, *FILES, *RANGES):
        yield Case(f"download: {name}", answer, errors, _download)
    for name, answer, errors in (*HEADERS, *REDIRECTS, *STATUSES):
        yield Case(f"download: {name}", answer, errors, _download)
        yield Case(f"published: {name}", answer, errors, _published)
    for name, answer, _ in TIMES:
        yield Case(f"many: {name}", answer, (), _many, seconds=60.0)


def _download(client: TlcClient, folder: Path) -> None:
    client.download_month("green", Month(2024, 1), folder)


def _published(client: TlcClient, folder: Path) -> None:
    if client.published("green", Month(2024, 1)) is None:
        raise MonthNotPublished("green 2024-01 is not published.")


def _many(client: TlcClient, folder: Path) -> None:
    """No error for months without an answer, and no thread that outlives the call for long."""
    with _ALONE:
        client.published_many(
            [("green", Month(2024, month)) for month in range(1, 13)],
            concurrency=3,
            deadline_seconds=0.2,
        )
        for thread in threading.enumerate():
            if thread.name.startswith("tlc"):
                thread.join(10)
                assert not thread.is_alive(), "a thread outlives the deadline"


def _may_stay(error: BaseException | None) -> set[str]:
    if error is None:
        return {FILE}
    return set() if isinstance(error, CorruptDownload) else {f"{FILE}.part", f"{FILE}.part.json"}


def _left(outcome: Outcome) -> str | None:
    return f"left {', '.join(outcome.files_left)}" if outcome.files_left else None


def _names(case: Case) -> str:
    return " or ".join(error.__name__ for error in case.errors) or "success"
