"""Readers poll while the month is reissued again and again."""

from __future__ import annotations

from collections.abc import Iterator

from taxi_assets_tests.faults import checks
from taxi_assets_tests.faults.bench import Bench
from taxi_assets_tests.faults.platform import load_month
from taxi_assets_tests.faults.readers import Readers
from taxi_assets_tests.faults.result import Finding, Result, Wrong

__all__ = ["polling"]

_REISSUES = {"local-duckdb": 100}
_REMOTE_REISSUES = 40


def polling(bench: Bench, pair: str) -> Iterator[Result]:
    """Alternate the month on one pair; a result is one reissue, and one more all polls."""
    subject = bench.subject(pair)
    with Readers(subject) as readers:
        for number in range(bench.scaled(_REISSUES.get(pair, _REMOTE_REISSUES))):
            subject.reissue()
            outcome = subject.call(load_month)
            subject.loaded = subject.published
            findings = [
                *checks.named(outcome),
                *([Finding(Wrong.LOST, f"a reissue fails: {outcome}")] if outcome else ()),
            ]
            yield Result("reissue under readers", pair, str(number), tuple(findings))
    findings = [*readers.findings, *subject.settle()]
    yield Result("poll of a reader", pair, "all", tuple(findings), weight=readers.polls)
    subject.discard()
