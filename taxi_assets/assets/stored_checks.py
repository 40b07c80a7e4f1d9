"""Checks and row counts of stored months.

They are steps of their own, so that the job ``<dataset>_verify`` can run them again, for one month
or as a backfill, without materializing anything. Add a check here if it reads what is stored; one
that must pass before anything is stored belongs in ``checks``.
https://docs.dagster.io/guides/test/asset-checks
"""

import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

import dagster as dg

from taxi_assets.assets.common import declared, month_of, trip_key
from taxi_assets.assets.partitions import monthly
from taxi_assets.assets.resources import Limits
from taxi_assets.datasets.calendar import overdue
from taxi_assets.datasets.month import several
from taxi_assets.datasets.origin import Origin
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.datasets.stored import Part
from taxi_assets.failures import translated_errors
from taxi_assets.lake import attributes
from taxi_assets.lake.handles import StoredFile, StoredMonth
from taxi_assets.row_counts import TrustedCount
from taxi_assets.warehouse.io_manager import WarehouseMonth, WarehouseTable
from taxi_assets.wording import counted

__all__ = ["stored_checks", "stored_rows"]

_PUBLISHED_ROWS, _RECONCILED = "published_rows", "reconciled"
_DESCRIPTIONS = {
    _PUBLISHED_ROWS: "Does the file have as many rows as the trusted count, if there is one?",
    _RECONCILED: "Does the warehouse have as many rows of the month as the lake?",
}


def stored_checks(spec: DatasetSpec) -> list[dg.AssetChecksDefinition]:
    """The dataset's checks of stored months and of overdue months."""
    with warnings.catch_warnings():
        # Partitioned checks are a preview; without partitions only the last month's result shows.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [_published_rows(spec), _reconciled(spec), _overdue(spec)]


def stored_rows(spec: DatasetSpec) -> dg.AssetsDefinition:
    """An asset whose metadata are the row counts of a month wherever it is stored.

    It also evaluates the checks of stored months under its own key, because a backfill launched in
    the UI includes only the job's assets and no checks of other assets.
    """
    key = trip_key(spec, "stored_rows")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # as above
        check_specs = [
            dg.AssetCheckSpec(name, asset=key, description=question, partitions_def=monthly(spec))
            for name, question in _DESCRIPTIONS.items()
        ]

    @dg.asset(
        **{**declared(spec, "stored_rows"), "group_name": "verification"},
        description=f"{spec.title}: the month's rows as published, cleaned, in the lake and in the "
        f"warehouse, counted and compared when it is materialized, as by the job "
        f"{spec.name}_verify.",
        ins={
            "raw": dg.AssetIn(trip_key(spec, "raw_trips")),
            "cleaned": dg.AssetIn(trip_key(spec, "clean_trips")),
            "published": dg.AssetIn(trip_key(spec, "lake_trips")),
            "loaded": dg.AssetIn(trip_key(spec, "warehouse_trips")),
        },
        check_specs=check_specs,
        pool="warehouse",
    )
    def count_rows(
        context: dg.AssetExecutionContext,
        limits: Limits,
        raw: StoredFile,
        cleaned: StoredMonth,
        published: StoredMonth,
        loaded: WarehouseMonth,
    ) -> Iterator[dg.MaterializeResult[None]]:
        with translated_errors(context):
            rows = loaded.counts()
            known = limits.trusted_count(spec, month_of(context), raw.origin)
        yield dg.MaterializeResult(
            metadata={
                "published": raw.rows,
                "clean": cleaned.trips.rows,
                "rejected": cleaned.rejects.rows,
                "trips in lake": published.trips.rows,
                "rejects in lake": published.rejects.rows,
                "trips in warehouse": rows[Part.TRIPS],
                "rejects in warehouse": rows[Part.REJECTS],
            },
            check_results=[_compared(key, raw, known), _agreed(key, published, loaded, rows)],
        )

    return count_rows


def _published_rows(spec: DatasetSpec) -> dg.AssetChecksDefinition:
    key = trip_key(spec, "raw_trips")

    @dg.asset_check(
        asset=key,
        name=_PUBLISHED_ROWS,
        description=_DESCRIPTIONS[_PUBLISHED_ROWS],
        partitions_def=monthly(spec),
    )
    def published_rows(
        context: dg.AssetCheckExecutionContext, limits: Limits, raw: StoredFile
    ) -> dg.AssetCheckResult:
        with translated_errors(context):
            known = limits.trusted_count(spec, month_of(context), raw.origin)
        return _compared(key, raw, known)

    return published_rows


def _reconciled(spec: DatasetSpec) -> dg.AssetChecksDefinition:
    key = trip_key(spec, "warehouse_trips")

    @dg.asset_check(
        asset=key,
        name=_RECONCILED,
        description=_DESCRIPTIONS[_RECONCILED],
        blocking=True,
        partitions_def=monthly(spec),
        additional_ins={"published": dg.AssetIn(trip_key(spec, "lake_trips"))},
        pool="warehouse",
    )
    def reconciled(
        context: dg.AssetCheckExecutionContext, loaded: WarehouseMonth, published: StoredMonth
    ) -> dg.AssetCheckResult:
        with translated_errors(context):
            rows = loaded.counts()
        return _agreed(key, published, loaded, rows)

    return reconciled


def _compared(key: dg.AssetKey, raw: StoredFile, known: TrustedCount | None) -> dg.AssetCheckResult:
    """Whether the published file has as many rows as the trusted count, if there is one."""
    rows, last_modified = raw.rows or 0, raw.object.attributes.get(attributes.LAST_MODIFIED)
    if raw.origin == Origin.SIMULATOR:
        description = f"{counted(rows, 'row')}; generated, not compared."
    elif known is None:
        description = f"{_rows_of(rows, raw.origin)}; no trusted count to compare with."
    elif known.rows == rows:
        description = f"{_rows_of(rows, raw.origin)}, which is the trusted count."
    else:
        day = datetime.fromisoformat(last_modified).date() if last_modified else None
        description = (
            f"{_rows_of(rows, raw.origin)} in a file {_dated(day)}; the trusted count is "
            f"{known.rows:,}, of a file {_dated(known.published)}. A reissue may differ: if the "
            "file is right, put its count into the file TAXI_ROW_COUNTS."
        )
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=_PUBLISHED_ROWS,
        passed=known is None or known.rows == rows,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
        metadata={} if known is None else {"published": rows, "trusted": known.rows},
    )


def _rows_of(rows: int, origin: str | None) -> str:
    return f"{counted(rows, 'row')} published (origin: {origin or 'not recorded'})"


def _dated(day: date | None) -> str:
    return f"last modified on {day}" if day else "of an unknown date"


def _agreed(
    key: dg.AssetKey, published: StoredMonth, loaded: WarehouseMonth, rows: Mapping[Part, int]
) -> dg.AssetCheckResult:
    """Whether the lake's rows of the month are the warehouse's ``rows``."""
    lake = {part: file.rows for part, file in published.parts.items()}
    description = ", ".join(
        f"{loaded.tables[part]}: {lake[part]:,} in the lake, {rows[part]:,} in the warehouse"
        for part in (Part.TRIPS, Part.REJECTS)
    )
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=_RECONCILED,
        passed=rows == lake,
        description=f"{description}.",
        metadata={
            **{f"{part} in lake": count for part, count in lake.items()},
            **{f"{part} in warehouse": count for part, count in rows.items()},
        },
    )


def _overdue(spec: DatasetSpec) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=trip_key(spec, "warehouse_trips"),
        name="overdue_months",
        description="Is every month since the earliest loaded one loaded that TLC should have "
        "published by now?",
    )
    def overdue_months(
        context: dg.AssetCheckExecutionContext, limits: Limits, loaded: WarehouseTable
    ) -> dg.AssetCheckResult:
        with translated_errors(context):
            months = loaded.months()
        missing = overdue(spec, months, datetime.now(UTC).date(), limits.lag_months)
        if not missing:
            return dg.AssetCheckResult(passed=True, description="No month is overdue.")
        return dg.AssetCheckResult(
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{spec.name} {several(missing)} should be loaded and "
            f"{'is' if len(missing) == 1 else 'are'} not. Materialize them with the job "
            f"{spec.name}_months, or see why their runs failed.",
            metadata={"overdue": len(missing)},
        )

    return overdue_months
