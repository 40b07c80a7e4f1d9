"""A month that TLC has published, as a run and as an observation.

Belongs here: run keys, tags, what a sensor hands to Dagster. Does not: finding the months
(``publication``, ``reissues``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import dagster as dg

from taxi_assets.assets.raw import observation
from taxi_assets.automation.cursor import Cursor
from taxi_assets.automation.history import History
from taxi_assets.automation.jobs import job_name
from taxi_assets.automation.messages import several
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.tlc import Published

DATASET_TAG, MONTH_TAG, ETAG_TAG = "taxi/dataset", "taxi/month", "taxi/etag"


def version(published: Published) -> str:
    """What names this edition of a file."""
    return published.version


def skipped(reasons: Sequence[str], cursor: Cursor, seconds: int) -> dg.SensorResult:
    """No runs: why, and when the sensor looks again."""
    said = [*reasons, f"Looks again in {_span(seconds)}."]
    return dg.SensorResult(skip_reason=" ".join(said), cursor=cursor.write())


def unlanded(spec: DatasetSpec, cursor: Cursor, history: History) -> list[str]:
    """Months that a run was requested for and that it did not bring: a person's to mend."""
    stuck = cursor.asked.keys() - history.under_way
    if not stuck:
        return []
    return [
        f"{spec.name} {several(stuck)} was run and did not land: see its latest run and "
        "re-execute it."
    ]


def requested(
    spec: DatasetSpec, months: Mapping[Month, Published], cursor: Cursor
) -> dg.SensorResult:
    """A run for each month, the source observed as it is now, and the cursor that says so."""
    asked = {month: version(published) for month, published in months.items()}
    return dg.SensorResult(
        run_requests=[_run(spec, month, asked[month]) for month in months],
        asset_events=[observation(spec, month, published) for month, published in months.items()],
        cursor=replace(cursor, asked={**cursor.asked, **asked}).write(),
    )


def _run(spec: DatasetSpec, month: Month, edition: str) -> dg.RunRequest:
    etag = edition.strip('"')
    return dg.RunRequest(
        run_key=f"{spec.name}:{month}:{etag}",
        job_name=job_name(spec),
        partition_key=str(month),
        tags={DATASET_TAG: spec.name, MONTH_TAG: str(month), ETAG_TAG: etag},
    )


def _span(seconds: int) -> str:
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    raise ValueError(f"{seconds} seconds are no time to wait")
