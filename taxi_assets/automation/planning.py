"""Decides which months to poll and which to request, from Dagster's records and TLC's answers.

The rule: beginning with the earliest month that is loaded or was requested, a month is requested
when TLC publishes a version of it that is neither loaded nor already requested. This covers new
months, gaps and reissues alike. With nothing loaded only the newest published month is requested,
so that switching on a sensor does not load two hundred months; earlier months need a backfill.

This module uses neither Dagster nor the network, so that a test of any case is one line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from taxi_assets.automation.cursor import Cursor
from taxi_assets.automation.polling import Answers
from taxi_assets.datasets.month import Month, several
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.tlc import Published

__all__ = ["Loaded", "Plan", "Poll", "Records", "Request", "months_to_poll", "plan"]

# Every tick polls the newest months and some of the older ones. A pass over the longest history,
# that of yellow, takes five ticks.
_NEWEST_PER_TICK: Final = 12
_OLDER_PER_TICK: Final = 48
_RUNS_PER_TICK: Final = 24


@dataclass(frozen=True, slots=True)
class Loaded:
    """A month in the warehouse: the run that loaded it, and the ETag of its source file.

    ``etag`` is empty for a file without one, and None if a newer file was downloaded but
    not loaded. An ``outdated`` month was loaded by an earlier release.
    """

    run_id: str
    etag: str | None
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """Dagster's records of a dataset; ``backfill`` is the id of an unfinished backfill.

    ``split`` are the months whose trips and rejects in the warehouse are of different versions,
    with these as text (``Warehouse.split_months``).
    """

    loaded: Mapping[Month, Loaded] = field(default_factory=dict)
    in_run: frozenset[Month] = frozenset()
    backfill: str | None = None
    split: Mapping[Month, str] = field(default_factory=dict)

    def run_of(self, month: Month) -> str:
        """The run that loaded the month: it distinguishes the run keys of versions A, B, A, B."""
        return self.loaded[month].run_id if month in self.loaded else "first"

    def holds(self, month: Month, published: Published) -> bool:
        """Whether the published version is loaded; without an ETag, whether any version is."""
        if month in self.split:
            return False
        etag = self.loaded[month].etag if month in self.loaded else None
        return etag is not None and published.etag in (None, etag)


@dataclass(frozen=True, slots=True)
class Request:
    """A run to request for the currently published version of a month."""

    month: Month
    published: Published
    run_key: str


@dataclass(frozen=True, slots=True)
class Poll:
    """The months to poll, newest first, and the older month at which the next tick resumes.

    ``earliest`` is the earliest month that is loaded, in a run or requested.
    """

    months: Sequence[Month]
    position: Month | None
    earliest: Month | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The result of a tick: runs to request and the next cursor, or the reasons for no run."""

    requests: tuple[Request, ...]
    cursor: Cursor
    reasons: tuple[str, ...]


def months_to_poll(months: Sequence[Month], records: Records, cursor: Cursor) -> Poll:
    """Which of the dataset's ``months`` to poll.

    Months in a run are skipped. During a backfill all are, because its months that are not yet in
    a run would seem not to be requested.
    """
    earliest = min(records.loaded.keys() | records.in_run | cursor.requested.keys(), default=None)
    outdated = {month for month, each in records.loaded.items() if each.outdated}
    skipped = set(months) if records.backfill else records.in_run | outdated
    since = [m for m in sorted(months, reverse=True) if earliest is None or m >= earliest]
    candidates = [month for month in since if month not in skipped]
    candidates.sort(key=lambda month: (month in records.split, month), reverse=True)
    older = candidates[_NEWEST_PER_TICK:]
    # After the oldest month the pass starts again.
    rest = [month for month in older if not cursor.position or month <= cursor.position] or older
    position = rest[_OLDER_PER_TICK] if len(rest) > _OLDER_PER_TICK else None
    return Poll((*candidates[:_NEWEST_PER_TICK], *rest[:_OLDER_PER_TICK]), position, earliest)


def plan(spec: DatasetSpec, records: Records, cursor: Cursor, poll: Poll, answers: Answers) -> Plan:
    """The runs to request, given TLC's ``answers`` to ``poll``."""
    if records.backfill:
        return Plan((), cursor, (f"Backfill {records.backfill} of {spec.name} is in progress.",))
    if answers.refusal:
        return Plan((), cursor, (answers.refusal,))
    current = {month for month, each in answers.published.items() if records.holds(month, each)}
    # Not loaded since the request, and TLC has not reverted to the loaded version.
    pending = {
        month: run_key
        for month, run_key in cursor.requested.items()
        if month not in current and run_key.endswith(f":{records.run_of(month)}")
    }
    found = [
        Request(month, published, _run_key(spec, records, month, published))
        for month, published in sorted(answers.published.items(), reverse=True)
        if month not in current
    ]
    new = [each for each in found if pending.get(each.month) != each.run_key]
    requests = new[: _RUNS_PER_TICK if poll.earliest else 1]
    after = Cursor(
        # The next tick polls the same months again if some could not be requested in this one.
        poll.position if len(requests) == len(new) else cursor.position,
        {**pending, **{each.month: each.run_key for each in requests}},
    )
    failed = pending.keys() - records.in_run
    reasons = () if requests else tuple(_reasons(spec, records, poll, answers, failed))
    return Plan(tuple(requests), after, reasons)


def _run_key(spec: DatasetSpec, records: Records, month: Month, published: Published) -> str:
    etag = published.version.replace('"', "")
    # A split month is requested again though this version of it was requested before.
    split = f"{records.split[month]}:" if month in records.split else ""
    return f"{spec.name}:{month}:{etag}:{split}{records.run_of(month)}"


def _reasons(
    spec: DatasetSpec, records: Records, poll: Poll, answers: Answers, failed: Collection[Month]
) -> Iterator[str]:
    """Why no run is requested; ``failed`` are the months whose requested run loaded nothing."""
    if answered := [month for month in poll.months if month not in answers.unanswered]:
        yield f"Polled {spec.name} {several(answered)}: none newly published or reissued."
    groups: list[tuple[str, Collection[Month]]] = [
        (
            "TLC has not published {} (403).",
            [month for month in answers.absent if month not in records.loaded],
        ),
        (
            "TLC no longer publishes {} (403).",
            [month for month in answers.absent if month in records.loaded],
        ),
        ("TLC did not answer for {}.", answers.unanswered),
        ("Requested but not loaded: {}. See the latest run and re-execute it.", failed),
        ("In a run: {}.", records.in_run),
        (
            "Loaded by an earlier release and not reloaded automatically: {}. Run "
            "python -m taxi_assets upgrade.",
            [month for month, each in records.loaded.items() if each.outdated],
        ),
    ]
    for sentence, months in groups:
        if months:
            yield sentence.format(f"{spec.name} {several(months)}")
    if poll.earliest and poll.earliest > spec.first_month:
        yield (
            f"Months before {poll.earliest} are not loaded automatically: start a backfill of "
            f"{spec.name} to load them."
        )
