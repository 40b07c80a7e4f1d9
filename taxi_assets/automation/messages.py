"""What people are told, in words.

Belongs here: the one text of a notification, months in a sentence. Does not: when it is said
(``notifications``), where (``channels``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.events import DagsterEvent
from dagster._core.execution.plan.objects import StepFailureData

from taxi_assets.datasets.month import Month

# How ``assets.months`` words a month's failure; continuation lines are details.
_SENTENCE = re.compile(r"(?P<dataset>\w+)/\w+ (?P<month>\d{4}-\d{2}) failed: .+")
_LONGEST_LINE = 500
_MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Message:
    """What happened in a line, why in a sentence a line, and the page that shows it."""

    title: str
    body: str
    url: str

    @property
    def text(self) -> str:
        """All of it, as plain text."""
        return "\n".join([self.title, self.body, self.url])


def several(months: Collection[Month]) -> str:
    """Months in ascending order, runs of three and more as ``2024-01 to 2024-03``."""
    spans: list[list[Month]] = []
    for month in sorted(months):
        if spans and spans[-1][-1].plus(1) == month:
            spans[-1].append(month)
        else:
            spans.append([month])
    return ", ".join(
        f"{span[0]} to {span[-1]}" if len(span) > 2 else ", ".join(map(str, span)) for span in spans
    )


def failure(
    run: dg.DagsterRun,
    fallback: str,
    failures: Sequence[DagsterEvent],
    evaluations: Sequence[dg.AssetCheckEvaluation],
    ui_url: str,
) -> Message:
    """A run that failed: its months where it was about months, and each one's first error.

    ``fallback`` is Dagster's own word for the failure, for a run that ended without any step's.
    """
    sentences = _first_sentences(failures)
    lines = list(sentences.values()) or [*_other_errors(failures)] or [fallback]
    title = f"{_subject(sentences, run.job_name)} {_verdict(sentences, evaluations)}"
    return Message(title, _bounded(lines), run_url(ui_url, run.run_id))


def landing(
    dataset: str, made: Mapping[Month, dg.AssetMaterialization], url: str, *, recovered: bool
) -> Message:
    """Months that are in the warehouse now; ``recovered`` ones had failed before."""
    verb = "recovered and landed" if recovered else "landed"
    lines = [_landed_line(month, made[month]) for month in sorted(made)]
    return Message(f"{dataset} {several(made)} {verb}", _bounded(lines), url)


def run_url(ui_url: str, run_id: str) -> str:
    """The page of a run."""
    return f"{ui_url}/runs/{run_id}"


def _first_sentences(failures: Sequence[DagsterEvent]) -> dict[tuple[str, str], str]:
    """By dataset and month, what failed first: what follows in the run fails for its sake."""
    sentences: dict[tuple[str, str], str] = {}
    for line in (line for event in failures for line in _description(event).splitlines()):
        if match := _SENTENCE.match(line):
            sentences.setdefault((match["dataset"], match["month"]), line)
    return sentences


def _description(event: DagsterEvent) -> str:
    data = event.event_specific_data
    assert isinstance(data, StepFailureData)
    return (data.user_failure_data and data.user_failure_data.description) or ""


def _other_errors(failures: Sequence[DagsterEvent]) -> Iterator[str]:
    """What steps said that failed otherwise: a description, or the error at the root."""
    for event in failures:
        data = event.event_specific_data
        assert isinstance(data, StepFailureData)
        error = data.error
        while error and error.cause:
            error = error.cause
        said = _description(event) or (error.message if error else "")
        yield from said.strip().splitlines()


def _subject(sentences: Mapping[tuple[str, str], str], job_name: str) -> str:
    months: dict[str, list[Month]] = {}
    for dataset, month in sentences:
        months.setdefault(dataset, []).append(Month.parse(month))
    return "; ".join(f"{name} {several(of)}" for name, of in months.items()) or job_name


def _verdict(
    sentences: Mapping[tuple[str, str], str], evaluations: Sequence[dg.AssetCheckEvaluation]
) -> str:
    stopped = {
        (each.asset_key.path[0], str(each.partition)): each.check_name
        for each in evaluations
        if each.blocking and not each.passed
    }
    if not sentences or not sentences.keys() <= stopped.keys():
        return "failed"
    names = sorted({stopped[each] for each in sentences})
    return f"stopped by the check{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _landed_line(month: Month, made: dg.AssetMaterialization) -> str:
    def number(name: str) -> str:
        value = made.metadata[name].value if name in made.metadata else None
        return f"{value:,}" if isinstance(value, int) else "?"

    table = made.metadata.get("dagster/table_name")
    where = f" in {table.value}" if table else ""
    return f"{month}: {number('dagster/partition_row_count')} rows{where}, " + (
        f"{number('rejected_rows')} rejects."
    )


def _bounded(lines: Sequence[str]) -> str:
    kept = [
        line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
        for line in lines[:_MOST_LINES]
    ]
    more = len(lines) - len(kept)
    return "\n".join([*kept, *([f"… and {more} more."] if more else [])])
