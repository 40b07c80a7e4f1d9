"""Which months to poll and which to request, decided from records and answers alone.

The rule: a month since the earliest one that is loaded or was requested is requested when TLC
publishes a version of it that is neither the loaded nor the requested one. New months, gaps and
reissues are the same to it. Nobody's laptop loads two hundred months because a sensor was switched
on: with nothing loaded only the newest published month is requested, and what lies before the
earliest is left to a backfill.

Neither Dagster nor the network is used here, so that every case is a line of a test.
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

# Polled in every tick; of those before, a slice. The longest history, of yellow, takes five ticks.
_NEWEST: Final = 12
_SLICE: Final = 48
_RUNS_A_TICK: Final = 24


@dataclass(frozen=True, slots=True)
class Loaded:
    """A month in the warehouse: the run that loaded it, and the ETag of the file it is made from.

    ``etag`` is empty for a file that came without one, and None where a file was downloaded since
    and has not reached the warehouse. An ``outdated`` month was loaded by an earlier release.
    """

    run_id: str
    etag: str | None
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """What Dagster has recorded of a dataset; ``backfill`` is the id of one that has not ended."""

    loaded: Mapping[Month, Loaded] = field(default_factory=dict)
    in_run: frozenset[Month] = frozenset()
    backfill: str | None = None

    def run_of(self, month: Month) -> str:
        """The run that a new one replaces: the part of a run key that tells A, B, A, B apart."""
        return self.loaded[month].run_id if month in self.loaded else "first"

    def holds(self, month: Month, published: Published) -> bool:
        """Whether the warehouse has what is published; without an ETag, whether it has any."""
        etag = self.loaded[month].etag if month in self.loaded else None
        return etag is not None and published.etag in (None, etag)


@dataclass(frozen=True, slots=True)
class Request:
    """A run to request, for the month as TLC publishes it now."""

    month: Month
    published: Published
    run_key: str


@dataclass(frozen=True, slots=True)
class Poll:
    """The months to poll, newest first, and where the walk over the older ones goes on.

    ``begun`` is the earliest month that somebody has wanted so far, if there is one.
    """

    months: Sequence[Month]
    position: Month | None
    begun: Month | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a tick comes to: runs to request and the next cursor, or why there is no run."""

    requests: tuple[Request, ...]
    cursor: Cursor
    reasons: tuple[str, ...]


def months_to_poll(months: Sequence[Month], records: Records, cursor: Cursor) -> Poll:
    """Which of the dataset's ``months`` to poll.

    A month in a run is left for a later tick, and all are while a backfill is under way: its months
    are not all in runs yet, so they would look as if nobody had requested them.
    """
    begun = min(records.loaded.keys() | records.in_run | cursor.requested.keys(), default=None)
    outdated = {month for month, each in records.loaded.items() if each.outdated}
    left_out = set(months) if records.backfill else records.in_run | outdated
    since = [month for month in sorted(months, reverse=True) if begun is None or month >= begun]
    wanted = [month for month in since if month not in left_out]
    older = wanted[_NEWEST:]
    # Once it has reached the oldest, the walk begins anew.
    rest = [month for month in older if not cursor.position or month <= cursor.position] or older
    position = rest[_SLICE] if len(rest) > _SLICE else None
    return Poll((*wanted[:_NEWEST], *rest[:_SLICE]), position, begun)


def plan(spec: DatasetSpec, records: Records, cursor: Cursor, poll: Poll, answers: Answers) -> Plan:
    """The runs that TLC's ``answers`` to ``poll`` call for."""
    if records.backfill:
        return Plan((), cursor, (f"Backfill {records.backfill} of {spec.name} is under way.",))
    if answers.refusal:
        return Plan((), cursor, (answers.refusal,))
    held = {month for month, each in answers.published.items() if records.holds(month, each)}
    # Nothing was loaded since the request, nor has TLC gone back to what is loaded.
    pending = {
        month: run_key
        for month, run_key in cursor.requested.items()
        if month not in held and run_key.endswith(f":{records.run_of(month)}")
    }
    found = [
        Request(month, published, _run_key(spec, records, month, published))
        for month, published in sorted(answers.published.items(), reverse=True)
        if month not in held
    ]
    new = [each for each in found if pending.get(each.month) != each.run_key]
    requests = new[: _RUNS_A_TICK if poll.begun else 1]
    after = Cursor(
        # What was found and is not requested now, the next tick must find again.
        poll.position if len(requests) == len(new) else cursor.position,
        {**pending, **{each.month: each.run_key for each in requests}},
    )
    failed = pending.keys() - records.in_run
    reasons = () if requests else tuple(_reasons(spec, records, poll, answers, failed))
    return Plan(tuple(requests), after, reasons)


def _run_key(spec: DatasetSpec, records: Records, month: Month, published: Published) -> str:
    etag = published.version.replace('"', "")
    return f"{spec.name}:{month}:{etag}:{records.run_of(month)}"


def _reasons(
    spec: DatasetSpec, records: Records, poll: Poll, answers: Answers, failed: Collection[Month]
) -> Iterator[str]:
    """Why no run is requested; ``failed`` are the months whose request loaded nothing."""
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
        ("TLC is slow or in trouble: no answer for {}.", answers.unanswered),
        ("{} was requested and did not load: see its latest run and re-execute it.", failed),
        ("{} is in a run.", records.in_run),
        (
            "{} was loaded by an earlier release and is not reloaded on its own: run "
            "python -m taxi_assets upgrade.",
            [month for month, each in records.loaded.items() if each.outdated],
        ),
    ]
    for sentence, months in groups:
        if months:
            yield sentence.format(f"{spec.name} {several(months)}")
    if poll.begun and poll.begun > spec.first_month:
        yield (
            f"Months before {poll.begun} are not loaded on their own: to have them, start a "
            f"backfill of {spec.name}."
        )
