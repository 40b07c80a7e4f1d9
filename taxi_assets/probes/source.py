"""Probe the source of the months: TLC's site, a mirror or the simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.calendar import month_due
from taxi_assets.datasets.month import Month
from taxi_assets.errors import MonthNotPublished, SourceBlocked
from taxi_assets.probes.probe import Group, Probe
from taxi_assets.settings import Settings
from taxi_assets.tlc import DEFAULT_URL, TlcClient

__all__ = ["source_probes"]

_ANSWERS: Final = "source: answers"
_KNOWN: Final = Month(2024, 1)
"""A month that TLC published of every dataset, and the demo's simulator does too."""
_KNOWN_CSV: Final = Month(2020, 1)
"""A month that TLC published of every dataset as CSV."""


def source_probes(settings: Settings) -> Group:
    """Whether it answers; and of each dataset the newest month that is due, or one that is known.

    A silent source is waited for once.
    """
    opened = partial(
        TlcClient,
        settings.tlc_url,
        attempts=2,
        timeout_seconds=20,
        file_format=settings.source_format,
    )
    due = month_due(datetime.now(UTC).date(), settings.schedule_lag_months)
    # A mirror of CSV has no new months.
    months = (_KNOWN_CSV,) if settings.source_format.is_csv else (due, _KNOWN)
    return Group(
        [
            Probe(_ANSWERS, partial(_answers, opened, months[0])),
            *(
                Probe(f"source: {name}", partial(_published, opened, name, months), (_ANSWERS,))
                for name in DATASETS
            ),
        ]
    )


def _answers(opened: Callable[[], TlcClient], due: Month) -> str:
    with opened() as client:
        client.published(next(iter(DATASETS)), due)
        return client.url


def _published(opened: Callable[[], TlcClient], dataset: str, months: Sequence[Month]) -> str:
    due, known = months[0], months[-1]
    with opened() as client:
        for month in months:
            found = client.published(dataset, month)
            if found:
                late = "" if month == due else f"; {due} is not yet"
                size = f", {found.size:,} bytes" if found.size else ""
                return f"{month} is published at {client.url} ({found.origin}){size}{late}"
        url = client.month_url(dataset, known)
        if client.url == DEFAULT_URL:
            raise SourceBlocked(
                f"TLC refuses this machine: it answers 403 even for {url}, which is published.",
                "Wait an hour, or use another network or a mirror (TAXI_TLC_URL).",
            )
        raise MonthNotPublished(
            f"{client.url} has no file of {dataset} for {' or '.join(map(str, months))}.",
            f"Open {url} in a browser on this machine: if it is there, this machine is refused; "
            "if not, correct TAXI_TLC_URL or TAXI_SOURCE_FORMAT.",
        )
