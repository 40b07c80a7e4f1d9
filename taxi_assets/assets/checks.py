"""The audit of a cleaned month: checks that must pass before anything is stored.

``clean_trips`` evaluates them itself, before it returns the month. Checks of stored months are
steps of their own and belong in ``stored_checks``.
https://docs.dagster.io/guides/test/asset-checks
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from taxi_assets.assets.common import trip_key
from taxi_assets.assets.partitions import monthly
from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.wording import counted

__all__ = ["audit", "audit_specs", "missing_pickups"]

_DESCRIPTIONS = {
    "reconciled": "Is every published row either a trip or a reject: footer = clean + rejects?",
    "reject_share": "Is the share of rejected rows within the dataset's bound?",
    "pickup_present": "Does every trip have a pickup time?",
}


def audit_specs(spec: DatasetSpec) -> list[dg.AssetCheckSpec]:
    """The audit's checks, partitioned by month; all are blocking."""
    with warnings.catch_warnings():
        # Partitioned checks are a preview; without partitions only the last month's result shows.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name,
                asset=trip_key(spec, "clean_trips"),
                description=description,
                blocking=True,
                partitions_def=monthly(spec),
            )
            for name, description in _DESCRIPTIONS.items()
        ]


def audit(
    spec: DatasetSpec,
    counts: MonthCounts,
    missing: int,
    published: int,
    max_reject_share: float,
) -> list[dg.AssetCheckResult]:
    """The check results of a cleaned month.

    ``published`` is the row count of the raw file, ``missing`` the number of trips without a pickup
    time.
    """
    share = counts.rejected / published if published else 0.0
    return [
        _result(
            spec,
            "reconciled",
            published == counts.clean + counts.rejected,
            f"{published:,} published, {counts.clean:,} clean + {counts.rejected:,} rejected.",
            {"published": published, "clean": counts.clean, "rejected": counts.rejected},
        ),
        _result(
            spec,
            "reject_share",
            share <= max_reject_share,
            f"{share:.3%} of the rows are rejected, {max_reject_share:.3%} are allowed"
            f"{_main_reason(counts.reasons)}.",
            {"rejected": counts.rejected},
        ),
        _result(
            spec,
            "pickup_present",
            missing == 0,
            f"{counted(missing, 'trip')} without {spec.pickup}.",
            {"missing": missing},
        ),
    ]


def missing_pickups(spec: DatasetSpec, trips: Path) -> int:
    """Count NULLs in the file itself, so that the audit does not rely on the cleaning's SQL."""
    with pq.ParquetFile(trips) as file:
        return sum(batch.column(0).null_count for batch in file.iter_batches(columns=[spec.pickup]))


def _result(
    spec: DatasetSpec, name: str, passed: bool, description: str, counts: Mapping[str, int]
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=trip_key(spec, "clean_trips"),
        check_name=name,
        passed=passed,
        description=description,
        metadata=dict(counts),
    )


def _main_reason(reasons: Mapping[str, int]) -> str:
    if not reasons:
        return ""
    name, count = next(iter(reasons.items()))
    return f"; most frequent reason: {name} ({count:,})"
