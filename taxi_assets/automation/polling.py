"""What TLC answers for several months, and whether it answers this machine at all.

TLC says 403 both for a month that it has not published and to a client that it refuses: a control
probe on a month that is known to be published tells them apart. HTTP itself is in ``tlc``, which
months to poll is decided in ``planning``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from taxi_assets.datasets.month import Month, several
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.errors import SourceBlocked
from taxi_assets.tlc import Published, TlcClient

__all__ = ["Answers", "poll"]

# Dagster gives a tick 60 seconds, and reading its own records takes some of them.
_POLL_SECONDS = 20.0
_PROBE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What TLC said: months published, absent (403 or 404), and those without an answer.

    ``refusal`` is a sentence when TLC refuses this machine; ``absent`` then means nothing.
    """

    published: Mapping[Month, Published] = field(default_factory=dict)
    absent: tuple[Month, ...] = ()
    unanswered: tuple[Month, ...] = ()
    refusal: str | None = None


def poll(client: TlcClient, spec: DatasetSpec, months: Sequence[Month], *, known: Month) -> Answers:
    """Poll all ``months``; when all are denied, probe ``known``, which is published.

    Raises ``Misconfigured`` for an address that cannot be TLC's.
    """
    try:
        said = client.published_many(
            [(spec.name, month) for month in months], deadline_seconds=_POLL_SECONDS
        )
        found = {month: published for (_, month), published in said.items()}
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
    """The control probe, in bounded time; no answer is no proof."""
    pair = (spec.name, known)
    said = client.published_many([pair], deadline_seconds=_PROBE_SECONDS)
    return pair in said and said[pair] is None


def _refusal(client: TlcClient, spec: DatasetSpec, absent: Sequence[Month], known: Month) -> str:
    return (
        f"TLC refuses this machine. Polled {client.url} for {spec.name} {several(absent)}: 403 "
        f"each, which would mean not published, but so did {spec.name} {known}, which is "
        "published. Nothing was requested. If it lasts, try another network or wait."
    )
