"""What TLC says of several months, and whether it speaks to us at all.

Belongs here: HEADs within a tick's time, telling "not published" from "blocked". Does not: HTTP
(``tlc``), which months to ask for (``publication``, ``reissues``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from taxi_assets.automation.messages import several
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.errors import SourceBlocked
from taxi_assets.tlc import Published, TlcClient

# Dagster gives a tick 60 seconds, and reading its own records takes some of them.
_ASKING_SECONDS = 20.0
_PROBE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of asking: months published, absent (403 or 404), and without an answer.

    ``refusal`` is a sentence when TLC refuses this client; what is absent then means nothing.
    """

    published: Mapping[Month, Published]
    absent: tuple[Month, ...]
    unanswered: tuple[Month, ...]
    refusal: str | None = None

    def sentences(self, spec: DatasetSpec, *, absent: str) -> list[str]:
        """What was not found, in words: nothing for months that are published.

        ``absent`` is what TLC does with a month that it answers 403 for.
        """
        if self.refusal:
            return [self.refusal]
        said = []
        if self.absent:
            said.append(f"TLC {absent} {spec.name} {several(self.absent)} (403).")
        if self.unanswered:
            said.append(
                f"TLC is slow or in trouble: no answer for {spec.name} {several(self.unanswered)}."
            )
        return said


def ask(client: TlcClient, spec: DatasetSpec, months: Sequence[Month], *, known: Month) -> Answers:
    """Ask for all ``months``; when all are denied, ask for ``known``, which is published.

    Raises ``Misconfigured`` for an address that cannot be TLC's.
    """
    try:
        said = client.published_many(
            [(spec.name, month) for month in months], deadline_seconds=_ASKING_SECONDS
        )
        found = {month: published for (_, month), published in said.items()}
        answers = Answers(
            published={month: each for month, each in found.items() if each is not None},
            absent=tuple(month for month in months if month in found and found[month] is None),
            unanswered=tuple(month for month in months if month not in found),
        )
        if answers.absent and not answers.published and _denied(client, spec, known):
            return _refused(answers, _blocked(client, spec, answers.absent, known))
    except SourceBlocked as error:
        return Answers({}, (), tuple(months), refusal=str(error))
    return answers


def _denied(client: TlcClient, spec: DatasetSpec, known: Month) -> bool:
    """The control probe, in bounded time; no answer is no proof."""
    pair = (spec.name, known)
    said = client.published_many([pair], deadline_seconds=_PROBE_SECONDS)
    return pair in said and said[pair] is None


def _refused(answers: Answers, why: str) -> Answers:
    return Answers(answers.published, answers.absent, answers.unanswered, refusal=why)


def _blocked(client: TlcClient, spec: DatasetSpec, absent: Sequence[Month], known: Month) -> str:
    return (
        f"TLC refuses this machine. Asked {client.url} for {spec.name} {several(absent)}: 403 "
        f"each, which would mean not published, but so did {spec.name} {known}, which is "
        "published. Nothing was requested. If it lasts, try another network or ask later."
    )
