"""The sensor for reissued months: files that TLC has replaced since they landed.

Belongs here: walking all landed months by slices, comparing ETags. Does not: asking (``asking``),
months that are new (``publication``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import dagster as dg

from taxi_assets.assets.resources import TlcSource
from taxi_assets.automation.asking import Answers, ask
from taxi_assets.automation.cursor import Cursor, next_slice
from taxi_assets.automation.history import downloaded_version, read_history
from taxi_assets.automation.jobs import job_name
from taxi_assets.automation.messages import several
from taxi_assets.automation.requests import requested, skipped, unlanded
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.tlc import Published

# The longest history, of yellow, takes five looks.
_SLICE = 48


def reissue_sensor(
    spec: DatasetSpec, *, seconds: int, status: dg.DefaultSensorStatus
) -> dg.SensorDefinition:
    """Looks at the next slice of landed months every ``seconds``."""

    @dg.sensor(
        name=f"{spec.name}_reissued",
        job_name=job_name(spec),
        minimum_interval_seconds=seconds,
        default_status=status,
        description=(
            f"Walks the landed months of {spec.name}, {_SLICE} a look, newest first, and runs "
            "those again whose ETag at TLC is no longer the one that was downloaded."
        ),
    )
    def look(context: dg.SensorEvaluationContext, tlc: TlcSource) -> dg.SensorResult:
        return _look(context, tlc, spec, seconds)

    return look


def _look(
    context: dg.SensorEvaluationContext, tlc: TlcSource, spec: DatasetSpec, seconds: int
) -> dg.SensorResult:
    history = read_history(context.instance, spec)
    cursor = Cursor.read(context.cursor)
    if not history.landed:
        return skipped([f"No month of {spec.name} has landed yet."], cursor, seconds)
    still = sorted(history.landed - history.under_way, reverse=True)
    looked_at, position = next_slice(still, cursor.position, _SLICE)
    with tlc.client() as client:
        answers = ask(client, spec, looked_at, known=max(history.landed))
    if answers.refusal:
        return skipped([answers.refusal], cursor, seconds)
    downloaded = {
        month: downloaded_version(context.instance, spec, month) for month in answers.published
    }
    cursor = replace(_without_downloaded(cursor, downloaded), position=position)
    if changed := _changed(answers, downloaded, cursor):
        context.log.info(f"Reissued by TLC: {spec.name} {several(changed)}.")
        return requested(spec, changed, cursor)
    reasons = [
        f"Asked for {len(looked_at)} of {len(history.landed)} landed months of {spec.name} "
        f"({several(looked_at) or 'the others are in a run'}): none newly reissued.",
        *answers.sentences(spec, absent="no longer publishes"),
        *unlanded(spec, cursor, history),
    ]
    return skipped(reasons, cursor, seconds)


def _changed(
    answers: Answers, downloaded: Mapping[Month, str | None], cursor: Cursor
) -> dict[Month, Published]:
    """Months whose ETag is neither the downloaded one nor one that was asked for already.

    Nothing can be said of a file without an ETag.
    """
    return {
        month: published
        for month, published in answers.published.items()
        if published.etag and published.etag not in (downloaded[month], cursor.asked.get(month))
    }


def _without_downloaded(cursor: Cursor, downloaded: Mapping[Month, str | None]) -> Cursor:
    asked = {month: v for month, v in cursor.asked.items() if downloaded.get(month) != v}
    return replace(cursor, asked=asked)
