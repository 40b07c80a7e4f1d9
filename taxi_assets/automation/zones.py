"""The sensor that polls TLC for the taxi zones; ``schedules`` has their monthly schedule.

https://docs.dagster.io/guides/automate/sensors. A run of the zones is a refresh: it downloads TLC's
files only if they have changed. So the sensor needs no cursor: what it does not see, the next run
of any kind does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import dagster as dg

from taxi_assets.assets.resources import TlcSource
from taxi_assets.assets.zones import LAKE_ZONES, TAXI_ZONES
from taxi_assets.automation.jobs import ZONES_JOB
from taxi_assets.automation.records import UNFINISHED
from taxi_assets.dagster_names import DATA_VERSION_TAG
from taxi_assets.datasets import ZONE_FILES, ZONES_VERSION
from taxi_assets.errors import SourceBlocked, TaxiAssetsError

__all__ = ["zones_sensor"]

# TLC changes these files once in years.
_POLL_SECONDS: Final = 24 * 60 * 60
# Dagster limits a tick to 60 seconds.
_DEADLINE_SECONDS: Final = 15.0


def zones_sensor(*, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Requests the zones when they are missing or TLC has changed one of their files."""

    @dg.sensor(
        name="zones_published",
        job_name=ZONES_JOB,
        minimum_interval_seconds=_POLL_SECONDS,
        default_status=status,
        description="Polls TLC daily for the files of the taxi zones, and requests a run when the "
        "zones are not loaded or one of the files has changed.",
    )
    def published(
        context: dg.SensorEvaluationContext, tlc: TlcSource
    ) -> dg.RunRequest | dg.SkipReason:
        running = dg.RunsFilter(job_name=ZONES_JOB, statuses=UNFINISHED)
        if context.instance.get_runs(running, limit=1):
            return dg.SkipReason("The taxi zones are already in a run.")
        etags = _loaded(context.instance)
        if etags is None:
            return dg.RunRequest()
        try:
            changed = list(_changed(tlc, etags))
        except TaxiAssetsError as error:
            return dg.SkipReason(f"{error} The zones are polled again tomorrow.")
        if not changed:
            return dg.SkipReason(f"Polled {' and '.join(ZONE_FILES)}: unchanged.")
        context.log.info(f"Changed at TLC: {', '.join(changed)}.")
        return dg.RunRequest()

    return published


def _loaded(instance: dg.DagsterInstance) -> dict[str, str] | None:
    """The ETags of the loaded files; ``None`` if they are to be loaded whatever TLC publishes."""
    lake, table = map(instance.get_latest_materialization_event, (LAKE_ZONES, TAXI_ZONES))
    stored = lake.asset_materialization if lake else None
    if lake is None or stored is None or table is None or table.timestamp < lake.timestamp:
        return None
    if not (stored.tags or {}).get(DATA_VERSION_TAG, "").startswith(f"{ZONES_VERSION}-"):
        return None  # by an earlier release
    etags = stored.metadata["etags"].value
    assert isinstance(etags, dict)
    return etags


def _changed(tlc: TlcSource, etags: dict[str, str]) -> Iterator[str]:
    """The files whose ETag is another one; raises ``TaxiAssetsError`` for no usable answer."""
    with tlc.client() as client:
        for path in ZONE_FILES:
            published = client.published_file(path, deadline_seconds=_DEADLINE_SECONDS)
            if published is None:
                raise SourceBlocked(
                    f"{client.url} answered 403 for {path}, which is published.",
                    "If this persists, try another network.",
                )
            if published.etag not in (None, etags.get(path)):
                yield path
