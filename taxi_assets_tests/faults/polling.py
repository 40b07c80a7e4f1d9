"""Readers poll while the month is reissued again and again."""

from __future__ import annotations

from collections.abc import Iterator

from taxi_assets_tests.faults import checks
from taxi_assets_tests.faults.bench import Bench
from taxi_assets_tests.faults.platform import load_month
from taxi_assets_tests.faults.readers import Readers
from taxi_assets_tests.faults.result import Finding, Result, Wrong

__all__ = ["polling"]

_KIND = "reissue under readers"
_REISSUES = {"local-duckdb": 100}
_REMOTE_REISSUES = 40


def polling(bench: Bench, pair: str) -> Iterator[Result]:
    """Alternate the month on one pair; what the readers saw is in the last result."""
    subject = bench.subject(pair)
    count = bench.scaled(_REISSUES.get(pair, _REMOTE_REISSUES))
    findings: list[Finding] = []
    with Readers(subject) as readers:
        for number in range(count):
            subject.reissue()
            outcome = subject.call(load_month)
            subject.loaded = subject.published
            if outcome:
                failed = Finding(Wrong.LOST, f"reissue {number} fails: {outcome}")
                findings += [*checks.named(outcome), failed]
            if number + 1 < count:
                yield Result(_KIND, pair, str(number), tuple(findings))
                findings = []
    findings += [*readers.findings, *subject.settle()]
    yield Result(_KIND, pair, "the last", tuple(findings), polls=readers.polls)
    subject.discard()
