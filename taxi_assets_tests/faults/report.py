"""The table of what was injected and what was found, for the terminal and for the docs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from taxi_assets_tests.faults.result import Result, Wrong

__all__ = ["page", "summary"]

_HEAD = """\
<!-- Written by `make test-faults`; edit taxi_assets_tests/faults/report.py. -->
# Reliability
"""


def summary(results: Sequence[Result], seed: int, seconds: float) -> str:
    """The table and a last line for a terminal."""
    total = sum(each.weight for each in results if not each.skipped)
    found = sum(len(each.findings) for each in results)
    last = f"{total} faults with seed {seed} in {seconds:.0f} s: {found} findings"
    return "\n".join([*_table(results), last])


def page(results: Sequence[Result], seed: int, scale: float, seconds: float) -> str:
    """The text of ``docs/reliability.md``."""
    return "\n".join([_HEAD, *_table(results), ""])


def _table(results: Sequence[Result]) -> Iterator[str]:
    yield "| fault | stores | injected | " + " | ".join(Wrong) + " |"
    yield "|---|---|---|" + "---|" * len(Wrong)
    rows: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        rows[result.kind, result.stores].append(result)
    for (kind, stores), those in rows.items():
        injected = sum(each.weight for each in those if not each.skipped)
        counts = Counter(found.wrong for each in those for found in each.findings)
        cells = [kind, stores, str(injected), *(str(counts[wrong]) for wrong in Wrong)]
        yield f"| {' | '.join(cells)} |"
