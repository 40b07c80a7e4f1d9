"""``clean_trips``: a month's rows under one schema, split into trips and rejects, audited.

The month is cleaned on local disk and audited before the IO manager receives it. A failed audit
yields its check results and fails the step, so that nothing is stored or recorded as materialized.
https://docs.dagster.io/guides/test/asset-checks
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import Field

from taxi_assets.assets import checks, presentation
from taxi_assets.assets.common import Redo, declared, month_of, trip_key
from taxi_assets.assets.resources import Limits, Previous, Scratch
from taxi_assets.cleaning import (
    CleanedMonth,
    MonthCounts,
    clean_month,
    code_version,
    published_names,
)
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.errors import AuditFailed
from taxi_assets.failures import translated_errors
from taxi_assets.lake import attributes
from taxi_assets.lake.handles import LakeValue, NewMonth, PreviousMonth, StoredFile
from taxi_assets.lake.io_manager import finished
from taxi_assets.versions import LAYOUT, month_version
from taxi_assets.wording import counted

__all__ = ["clean_trips"]

_BLOCKING = dg.AssetCheckSeverity.ERROR


def clean_trips(spec: DatasetSpec) -> dg.AssetsDefinition:
    """The dataset's second asset."""

    class CleanConfig(Redo):
        """How a month is audited, and whether an unchanged one is cleaned again."""

        # The default is the dataset's own bound, so that the launchpad shows it.
        max_reject_share: float = Field(
            default=spec.max_reject_share,
            ge=0,
            le=1,
            description="Share of rows (0 to 1) that may be rejected in this run. Raise it for a "
            "month whose rejects you have examined.",
        )
        min_row_share: float = Field(
            default=0.5,
            ge=0,
            le=1,
            description="Share (0 to 1) of the stored version's published rows that a reissue must "
            "reach to replace it.",
        )
        accept_rows: int | None = Field(
            default=None,
            ge=0,
            description="Accept a file with exactly this number of rows, even 0 or far fewer than "
            "the stored version has. Set it for a month whose file you have examined.",
        )

    @dg.asset(
        **declared(spec, "clean_trips"),
        description=(
            f"{spec.title}: one schema for every era, rows split into trips and rejects; audited "
            f"before anything downstream sees them.\n\n{presentation.rules_table(spec)}"
        ),
        ins={"raw": dg.AssetIn(trip_key(spec, "raw_trips"))},
        check_specs=checks.audit_specs(spec),
        kinds={"duckdb", "parquet"},
        pool="memory" if spec.memory_heavy else None,
        code_version=f"{LAYOUT}-{code_version(spec)}",
        io_manager_key="lake",
    )
    def clean(
        context: dg.AssetExecutionContext,
        config: CleanConfig,
        limits: Limits,
        scratch: Scratch,
        previous: Previous,
        raw: StoredFile,
    ) -> Iterator[dg.MaterializeResult[LakeValue]]:
        with translated_errors(context):
            month = month_of(context)
            before = previous.month(context)
            outcome = None if config.redo else _unchanged(spec, before, raw)
            if outcome is None:
                outcome = _cleaned(spec, month, before, raw, limits, scratch)
            expected = _expected(spec, month, config, limits, previous, raw)
        results = checks.audit(
            spec,
            outcome.counts,
            outcome.missing_pickups,
            raw.rows or 0,
            config.max_reject_share,
            _blocking_share(spec, month, config.max_reject_share),
            expected,
        )
        failed = [each for each in results if not each.passed and each.severity is _BLOCKING]
        if failed:
            # The results are recorded; without an output nothing is stored or materialized.
            yield from results  # type: ignore[misc]  # Dagster allows only the output's type
            with translated_errors(context):
                raise _audit_failed(spec, month, raw.rows or 0, failed)
        context.log.info(f"{spec.name} {month}: {outcome.summary}")
        yield dg.MaterializeResult(
            value=outcome.value,
            data_version=dg.DataVersion(month_version(spec, raw.object.sha256)),
            check_results=results,
            metadata={"cleaning": outcome.summary, **_metadata(spec, month, outcome.counts, raw)},
        )

    return clean


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A cleaned month before its audit; ``summary`` says whether it was cleaned in this run."""

    value: LakeValue
    counts: MonthCounts
    missing_pickups: int
    summary: str


def _unchanged(spec: DatasetSpec, before: PreviousMonth, raw: StoredFile) -> _Outcome | None:
    """The stored month, if it was made from this file by this code."""
    stored = before.stored
    if stored is None or stored.version != month_version(spec, raw.object.sha256):
        return None
    missing = int(stored.trips.object.attributes[attributes.MISSING_PICKUPS])
    return _Outcome(stored, stored.counts, missing, "file and code unchanged, not cleaned again")


def _cleaned(
    spec: DatasetSpec,
    month: Month,
    before: PreviousMonth,
    raw: StoredFile,
    limits: Limits,
    scratch: Scratch,
) -> _Outcome:
    version = month_version(spec, raw.object.sha256)

    def clean() -> CleanedMonth:
        return clean_month(
            spec,
            month,
            raw.path(),
            scratch.folder / f"{spec.name}-{month}",
            source_file=raw.object.key.rpartition("/")[2],
            memory_limit=limits.memory_limit,
        )

    cleaned = scratch.once(version, clean, lambda made: (made.trips, made.rejects))
    counts = cleaned.counts
    missing = checks.missing_pickups(spec, cleaned.trips)
    of_raw = raw.object.attributes
    handed_on = (attributes.ORIGIN, attributes.SOURCE_URL)
    facts = {attributes.VERSION: version} | {
        name: of_raw[name] for name in handed_on if name in of_raw
    }
    numbers = {attributes.COUNTS: counts.to_text(), attributes.MISSING_PICKUPS: str(missing)}
    value = NewMonth(
        trips=finished(cleaned.trips, {**facts, **numbers}),
        rejects=finished(cleaned.rejects, facts),
        before=before,
    )
    summary = (
        f"cleaned into {counted(counts.clean, 'trip')} and {counted(counts.rejected, 'reject')}"
    )
    return _Outcome(value, counts, missing, summary)


def _expected(
    spec: DatasetSpec,
    month: Month,
    config: Any,
    limits: Limits,
    previous: Previous,
    raw: StoredFile,
) -> checks.ExpectedRows:
    """What the month's published rows are compared with."""
    neighbours = (
        (each, previous.published_rows(spec, each)) for each in (month.plus(-1), month.plus(1))
    )
    neighbour, rows = next(((each, rows) for each, rows in neighbours if rows), (None, None))
    trusted = limits.trusted_count(spec, month, raw.origin)
    return checks.ExpectedRows(
        replaced=previous.published_rows(spec, month),
        min_share=config.min_row_share,
        trusted=trusted.rows if trusted else None,
        accepted=config.accept_rows,
        neighbour=neighbour,
        neighbour_rows=rows,
    )


def _blocking_share(spec: DatasetSpec, month: Month, chosen: float) -> float:
    """The share of rejects that fails the month: a bound that a person chose, or the dataset's."""
    return spec.blocking_reject_share(month) if chosen == spec.max_reject_share else chosen


def _audit_failed(
    spec: DatasetSpec, month: Month, rows: int, failed: Sequence[dg.AssetCheckResult]
) -> AuditFailed:
    remedies = {
        checks.ROW_COUNT: f"If this is what TLC should have published, set accept_rows to {rows} "
        "in the configuration of clean_trips (Launchpad), or run `python -m taxi_assets run "
        f"--datasets {spec.name} --months {month} --accept-rows {rows}`.",
        "reject_share": "To accept more rejects, run the month with a higher max_reject_share in "
        "the configuration of clean_trips.",
    }
    names = [str(result.check_name) for result in failed]
    return AuditFailed(
        f"{spec.name} {month} failed its audit: "
        + " ".join(f"{result.check_name}: {result.description}" for result in failed)
        + " Nothing was stored, and a month stored before is unchanged.",
        " ".join(["Examine the file.", *(remedies[name] for name in names if name in remedies)]),
    )


def _metadata(
    spec: DatasetSpec, month: Month, counts: MonthCounts, raw: StoredFile
) -> dict[str, Any]:
    """The metadata of the month's page, in the order of the page."""
    columns = json.loads(raw.object.attributes.get(attributes.COLUMNS, "{}"))
    published = published_names(spec, list(columns))
    return {
        "published_rows": counts.published,
        "rejected_rows": counts.rejected,
        "reject_share": round(counts.reject_share, 6),
        **presentation.cleaning_plots(spec, month, counts),
        "dagster/column_schema": presentation.column_schema(spec, published_names=published),
        "dagster/column_lineage": presentation.lineage_from_raw(
            published, trip_key(spec, "raw_trips")
        ),
        **presentation.links(spec, raw.object.attributes.get(attributes.SOURCE_URL)),
    }
