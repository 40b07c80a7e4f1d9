"""Processes that read the month again and again, and report every month that is not whole."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from taxi_assets_tests.faults import checks
from taxi_assets_tests.faults.bench import Subject
from taxi_assets_tests.faults.child import Child, Hung
from taxi_assets_tests.faults.judge import judge
from taxi_assets_tests.faults.lake_reader import lake_files, read_lake
from taxi_assets_tests.faults.months import Rows, Version
from taxi_assets_tests.faults.result import Finding, Wrong
from taxi_assets_tests.faults.stores import Place
from taxi_assets_tests.faults.warehouse_reader import open_warehouse

__all__ = ["Readers"]

Polled = tuple[int, list[Finding]]


class Readers:
    """Two readers during the block: of the lake, and of the lake by the package and the warehouse.

    ``polls`` and ``findings`` are known after the block.
    """

    def __init__(self, subject: Subject) -> None:
        self.polls = 0
        self.findings: list[Finding] = []
        self._subject = subject
        self._stop = subject.place.folder / "stop-reading"
        self._allowed = [*subject.bench.versions]
        self._children: list[Child[Polled]] = []

    def __enter__(self) -> Self:
        self._stop.unlink(missing_ok=True)
        place, versions = self._subject.place, self._subject.bench.versions
        for read in (_read_lake, _read_by_package, _read_warehouse):
            work = _Poll(place, versions, self._allowed, self._stop, read)
            self._children.append(self._subject.start(work, f"log-{read.__name__}"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.touch()
        for child in self._children:
            try:
                polled = child.wait().value
            except Hung as hung:
                self.findings.append(Finding(Wrong.HANG, f"a reader: {hung}"))
                continue
            if polled is not None:
                self.polls += polled[0]
                self.findings += polled[1]
        self.findings = [
            Finding(each.wrong, f"{times} times: {each.detail}")
            for each, times in Counter(self.findings).items()
        ]


class _Poll:
    """Reads until the file ``stop`` exists."""

    def __init__(
        self,
        place: Place,
        versions: Mapping[str, Version],
        allowed: list[str],
        stop: Path,
        read: Callable[[_Poll], None],
    ) -> None:
        self.place, self.versions, self.allowed = place, versions, allowed
        self._stop, self._read = stop, read
        self.polls = 0
        self.findings: list[Finding] = []

    def __call__(self) -> Polled:
        tempfile.tempdir = None  # cached by the parent, of another TMPDIR
        self._read(self)
        return self.polls, self.findings

    def goes_on(self) -> bool:
        return not self._stop.exists()

    def saw(self, where: str, rows: tuple[Rows, Rows] | None) -> None:
        self.polls += 1
        self.findings += judge(f"poll of the {where}", rows, self.versions, self.allowed)[1]


def _read_lake(poll: _Poll) -> None:
    files = lake_files(poll.place.lake_url)
    while poll.goes_on():
        try:
            month = read_lake(files)
        except AssertionError as error:
            poll.findings.append(Finding(Wrong.UNREADABLE, f"poll of the lake: {error}"))
            continue
        poll.saw("lake", None if month is None else (month.trips, month.rejects))


def _read_by_package(poll: _Poll) -> None:
    while poll.goes_on():
        month = checks.package_month(poll.place)
        if isinstance(month, str):
            poll.findings.append(Finding(Wrong.UNREADABLE, f"poll by the package: {month}"))
        else:
            poll.saw("lake by the package's reader", month)


def _read_warehouse(poll: _Poll) -> None:
    with open_warehouse(poll.place.warehouse_url) as reader:
        while poll.goes_on():
            month = reader.month()
            if month is None or not month.apart:
                poll.saw("warehouse", None if month is None else (month.trips, month.rejects))
