"""The text of notifications: failed runs, loaded months, overdue months.

A message is plain text that every channel can show. ``notifications`` decides when it is sent and
``channels`` delivers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from taxi_assets.assets.zones_check import LOADED_ZONES
from taxi_assets.automation.jobs import DATASET_TAG
from taxi_assets.dagster_names import PARTITION_TAG
from taxi_assets.datasets.month import Month, several
from taxi_assets.failures import FailureFacts, facts_of
from taxi_assets.wording import counted

__all__ = ["Message", "failure", "loaded", "overdue", "run_url"]

_LONGEST_LINE = 500
_MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class Message:
    """A title of one line, a body of a few lines, and the URL of the page with the details."""

    title: str
    body: str
    url: str

    @property
    def text(self) -> str:
        """The whole message as plain text."""
        return "\n".join([self.title, self.body, self.url])


def failure(
    run: dg.DagsterRun,
    fallback: str,
    failures: Sequence[dg.DagsterEvent],
    evaluations: Sequence[dg.AssetCheckEvaluation],
    ui_url: str,
) -> Message:
    """A failed run: its month, the check that stopped it if there is one, and the reason.

    ``fallback`` is Dagster's own message, for a run in which no step failed.
    """
    facts = next((facts for event in failures if (facts := facts_of(event))), None)
    stopped = [each for each in evaluations if each.blocking and not each.passed]
    checks = ", ".join(sorted({each.check_name for each in stopped}))
    verdict = f"stopped by check {checks}" if checks else "failed"
    lines = (
        ([f"{facts.asset}: {facts.happened} {facts.remedy}"] if facts else [])
        or [f"{each.asset_key.to_user_string()}: {each.description}" for each in stopped]
        or list(_root_errors(failures))
    )
    return Message(
        f"{_subject(run, facts)} {verdict}",
        _bounded(lines or [fallback]),
        run_url(ui_url, run.run_id),
    )


def loaded(
    dataset: str, months: Mapping[Month, dg.AssetMaterialization], url: str, *, recovered: bool
) -> Message:
    """Newly loaded months; ``recovered`` if their previous run failed."""
    verb = "recovered and loaded" if recovered else "loaded"
    lines = [_loaded_line(month, months[month]) for month in sorted(months)]
    return Message(f"{dataset} {several(months)} {verb}", _bounded(lines), url)


def overdue(evaluations: Sequence[dg.AssetCheckEvaluation], url: str) -> Message:
    """The failed checks for overdue months, one per dataset, and of the zones."""
    datasets = ", ".join(each.asset_key.path[0] for each in evaluations)
    lines = [f"{each.asset_key.path[0]}: {each.description}" for each in evaluations]
    late = (
        "overdue"
        if any(each.asset_check_key == LOADED_ZONES for each in evaluations)
        else "months are overdue"
    )
    return Message(f"{datasets}: {late}", _bounded(lines), url)


def run_url(ui_url: str, run_id: str) -> str:
    """The URL of a run's page."""
    return f"{ui_url}/runs/{run_id}"


def _subject(run: dg.DagsterRun, facts: FailureFacts | None) -> str:
    """The run's dataset and month; its job if it has no dataset."""
    dataset = (facts and facts.dataset) or run.tags.get(DATASET_TAG) or run.job_name
    month = (facts and facts.month) or run.tags.get(PARTITION_TAG) or ""
    return f"{dataset} {month}".strip()


def _root_errors(failures: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    """Of failures without facts: their description or root cause."""
    for event in failures:
        data = event.step_failure_data
        error = data.error
        while error and error.cause:
            error = error.cause
        described = data.user_failure_data and data.user_failure_data.description
        yield from (described or (error.message if error else "")).strip().splitlines()


def _loaded_line(month: Month, event: dg.AssetMaterialization) -> str:
    def number(name: str, noun: str) -> str:
        value = event.metadata[name].value if name in event.metadata else None
        return counted(value, noun) if isinstance(value, int) else f"? {noun}s"

    table = event.metadata.get("dagster/table_name")
    where = f" in {table.value}" if table else ""
    rows, rejects = number("dagster/partition_row_count", "row"), number("rejected_rows", "reject")
    return f"{month}: {rows}{where}, {rejects}."


def _bounded(lines: Sequence[str]) -> str:
    flat = [" ".join(line.split()) for line in lines[:_MOST_LINES]]
    kept = [
        line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…" for line in flat
    ]
    more = len(lines) - len(kept)
    return "\n".join([*kept, *([f"… and {more} more."] if more else [])])
