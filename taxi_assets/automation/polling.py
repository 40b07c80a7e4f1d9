"""Polls TLC for several months and detects whether TLC blocks this machine.

TLC answers 403 both for an unpublished month and to a blocked client. A control probe of a month
that is known to be published distinguishes the two. HTTP is in ``tlc``; ``planning`` decides which
months to poll.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from taxi_assets.datasets.month import Month, several
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.errors import SourceBlocked
from taxi_assets.tlc import Published, TlcClient

__all__ = ["Answers", "poll"]

# Dagster limits a tick to 60 seconds, of which reading its records takes some.
_POLL_SECONDS = 20.0
_PROBE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answers:
    """TLC's answers: published months, absent ones (403 or 404), and those without an answer.

    ``refusal`` is set when TLC refuses this machine; ``absent`` is then meaningless.
    """

    published: Mapping[Month, Published] = field(default_factory=dict)
    absent: tuple[Month, ...] = ()
    unanswered: tuple[Month, ...] = ()
    refusal: str | None = None


def poll(client: TlcClient, spec: DatasetSpec, months: Sequence[Month], *, known: Month) -> Answers:
    """Poll ``months``; if all are refused, probe ``known``, which is published.

    Raises ``Misconfigured`` for an address that cannot be TLC's.
    """
    try:
        answered = client.published_many(
            [(spec.name, month) for month in months], deadline_seconds=_POLL_SECONDS
        )
        found = {month: published for (_, month), published in answered.items()}
        answers = Answers(
            published={month: each for month, each in found.items() if each is not None},
            absent=tuple(month for month in months if month in found and found[month] is None),
            unanswered=tuple(month for month in months if month not in found),
        )
        if answers.absent and not answers.published and _denied(client, spec, known):
            return replace(answers, refusal=_refusal(client, spec, answers.absent, known))
    except SourceBlocked as error:
        return Answers(unanswered=tuple(months), refusal=str(error))
    return answers


def _denied(client: TlcClient, spec: DatasetSpec, known: Month) -> bool:
    """The control probe, in bounded time; no answer proves nothing."""
    pair = (spec.name, known)
    answered = client.published_many([pair], deadline_seconds=_PROBE_SECONDS)
    return pair in answered and answered[pair] is None


def _refusal(client: TlcClient, spec: DatasetSpec, absent: Sequence[Month], known: Month) -> str:
    return (
        f"TLC refuses this machine: {client.url} answered 403 for {spec.name} {several(absent)} "
        f"and also for {spec.name} {known}, which is published. Nothing was requested. If this "
        "persists, wait or try another network."
    )
