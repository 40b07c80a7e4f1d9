"""Probe the source of the months: TLC's site, a mirror or the simulator."""

from __future__ import annotations

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


def source_probes(settings: Settings) -> Group:
    """Whether it answers; and of each dataset the newest month that is due, or one that is known.

    A silent source is waited for once.
    """
    site = settings.tlc_url
    due = month_due(datetime.now(UTC).date(), settings.schedule_lag_months)
    return Group(
        [
            Probe(_ANSWERS, partial(_answers, site, due)),
            *(
                Probe(f"source: {name}", partial(_published, site, name, due), (_ANSWERS,))
                for name in DATASETS
            ),
        ]
    )


def _client(site: str) -> TlcClient:
    return TlcClient(site, attempts=2, timeout_seconds=20)


def _answers(site: str, due: Month) -> str:
    with _client(site) as client:
        client.published(next(iter(DATASETS)), due)
        return client.url


def _published(site: str, dataset: str, due: Month) -> str:
    with _client(site) as client:
        for month in (due, _KNOWN):
            found = client.published(dataset, month)
            if found:
                late = "" if month == due else f"; {due} is not yet"
                size = f", {found.size:,} bytes" if found.size else ""
                return f"{month} is published at {client.url} ({found.origin}){size}{late}"
        url = client.month_url(dataset, _KNOWN)
        if site == DEFAULT_URL:
            raise SourceBlocked(
                f"TLC refuses this machine: it answers 403 even for {url}, which is published.",
                "Wait an hour, or use another network or a mirror (TAXI_TLC_URL).",
            )
        raise MonthNotPublished(
            f"{client.url} has neither {dataset} {due} nor {dataset} {_KNOWN}.",
            f"Open {url} in a browser on this machine: if it is there, this machine is refused; "
            "if not, correct TAXI_TLC_URL.",
        )
