"""``clean_trips``: a month's rows under one schema, split into trips and rejects, audited.

Belongs here: cleaning one month into the staging zone and its verdict. Does not: SQL
(``cleaning``), what the checks ask (``checks``), publishing (``publish``).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from taxi_assets.assets import checks, presentation
from taxi_assets.assets.common import code_version, declared, trip_key
from taxi_assets.assets.months import Landed, each_month
from taxi_assets.assets.raw import SOURCE_URL, data_version
from taxi_assets.assets.resources import Limits
from taxi_assets.cleaning import CleanedMonth, clean_month
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.datasets.stored import Part
from taxi_assets.lake import keys
from taxi_assets.lake.io_manager import LakeIOManager, finished, object_metadata
from taxi_assets.lake.store import LakeObject

# Attributes of a month's two objects. Only what says "passed" is ever published, and the trips and
# the rejects of a month go on together only when both are made from the same file.
AUDIT = "audit"
PASSED = "passed"
MADE_FROM = "made_from"


def clean_trips(spec: DatasetSpec) -> dg.AssetsDefinition:
    """The dataset's second asset."""
    version = code_version(spec)

    class CleanConfig(dg.Config):
        """How a month is audited."""

        # The dataset's own bound is the default, so that the launchpad shows it.
        max_reject_share: float = Field(
            default=spec.max_reject_share,
            ge=0,
            le=1,
            description="Share of rows (0 to 1) that may be rejected in this run. Raise it for a "
            "month you have looked at.",
        )

    @dg.asset(
        **declared(spec, "clean_trips", checks.CLEAN_CHECKS),
        description=(
            f"{spec.title}: one schema for every era, rows split into trips and rejects; audited "
            f"before anything downstream sees them.\n\n{presentation.rules_table(spec)}"
        ),
        deps=[trip_key(spec, "raw_trips")],
        kinds={"duckdb", "parquet"},
        pool="memory" if spec.memory_heavy else None,
        code_version=version,
        io_manager_key="lake",
    )
    def clean(
        context: dg.AssetExecutionContext,
        config: CleanConfig,
        limits: Limits,
        lake: dg.ResourceParam[LakeIOManager],
    ) -> Iterator[Any]:
        def make(month: Month) -> Landed:
            return _clean(context, lake, spec, month, limits, config.max_reject_share)

        yield from each_month(context, make, code_version=version)

    return clean


def _clean(
    context: dg.AssetExecutionContext,
    lake: LakeIOManager,
    spec: DatasetSpec,
    month: Month,
    limits: Limits,
    max_reject_share: float,
) -> Landed:
    raw = lake.find([spec.name, "raw_trips"], str(month))
    before = {part: lake.store.find(keys.staging(spec, month, part)) for part in Part}
    cleaned = clean_month(
        spec,
        month,
        lake.local(raw),
        lake.folder / f"{spec.name}-{month}",
        source_file=spec.file_name(month),
        memory_limit=limits.memory_limit,
    )
    assert raw.rows is not None
    outcomes = checks.audit(cleaned, raw.rows, max_reject_share)
    passed = not any(outcome.stops_the_month for outcome in outcomes)
    made_from = f"{raw.sha256[:16]}-{code_version(spec)}"
    attributes = {AUDIT: PASSED if passed else "failed", MADE_FROM: made_from}
    if SOURCE_URL in raw.attributes:
        attributes[SOURCE_URL] = raw.attributes[SOURCE_URL]
    stored = {
        part: lake.put(
            finished(path, attributes),
            keys.staging(spec, month, part),
            replacing=before[part],
        )
        for part, path in ((Part.REJECTS, cleaned.rejects), (Part.TRIPS, cleaned.trips))
    }
    context.log.info(
        f"{spec.name} {month}: {cleaned.clean_rows:,} trips, {cleaned.rejected_rows:,} rejects"
    )
    return Landed(
        data_version=made_from,
        inputs={trip_key(spec, "raw_trips"): data_version(raw)},
        outcomes=outcomes,
        metadata=_metadata(cleaned, raw, stored),
    )


def _metadata(
    cleaned: CleanedMonth, raw: LakeObject, stored: dict[Part, LakeObject]
) -> dict[str, Any]:
    """What the month's page shows, in its order: what came of it, how it looks, where it is."""
    spec = cleaned.spec
    return {
        "published_rows": cleaned.published_rows,
        "dagster/partition_row_count": cleaned.clean_rows,
        "rejected_rows": cleaned.rejected_rows,
        "reject_share": round(cleaned.rejected_rows / max(1, cleaned.published_rows), 6),
        **presentation.cleaning_plots(cleaned),
        "dagster/column_schema": presentation.column_schema(
            spec, published_names=cleaned.published_names
        ),
        "dagster/column_lineage": presentation.lineage_from_raw(
            cleaned, trip_key(spec, "raw_trips")
        ),
        **object_metadata(stored[Part.TRIPS]),
        "rejects": dg.MetadataValue.path(stored[Part.REJECTS].uri),
        **presentation.links(spec, raw.attributes.get(SOURCE_URL)),
    }
