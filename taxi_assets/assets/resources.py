"""What the assets are given besides lake and warehouse.

Belongs here: the source and the engine's limits, as Dagster shows and configures them. Does not:
what they do (``tlc``, ``cleaning``), where their values come from (``settings``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from taxi_assets.tlc import DEFAULT_URL, TlcClient


class TlcSource(dg.ConfigurableResource):  # type: ignore[type-arg]  # generic only in its stubs
    """TLC's site, or one that looks like it. ``backoff_seconds`` is the first retry's wait."""

    url: str = DEFAULT_URL
    attempts: int = 5
    backoff_seconds: float = 0.5
    timeout_seconds: float = 30.0

    @contextmanager
    def client(self) -> Iterator[TlcClient]:
        """A client that is closed afterwards."""
        with TlcClient(
            self.url,
            attempts=self.attempts,
            backoff_seconds=self.backoff_seconds,
            timeout_seconds=self.timeout_seconds,
        ) as client:
            yield client


class Limits(dg.ConfigurableResource):  # type: ignore[type-arg]  # generic only in its stubs
    """Bounds of the work on a month, and the counts it is held against.

    ``memory_limit`` is DuckDB's own memory; ``row_counts`` a CSV of trusted published counts.
    """

    memory_limit: str = "512MB"
    row_counts: str | None = None

    @property
    def trusted_counts(self) -> Path | None:
        """The CSV of trusted counts, if one is set."""
        return Path(self.row_counts) if self.row_counts else None
