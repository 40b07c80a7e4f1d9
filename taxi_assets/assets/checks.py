"""The audit of a cleaned month: checks that must pass before anything is stored.

``clean_trips`` evaluates them itself, before it returns the month. Checks of stored months are
steps of their own and belong in ``stored_checks``.
https://docs.dagster.io/guides/test/asset-checks
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from taxi_assets.assets.common import trip_key
from taxi_assets.assets.partitions import monthly
from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.wording import counted

__all__ = ["ROW_COUNT", "ExpectedRows", "audit", "audit_specs", "missing_pickups"]

ROW_COUNT, NEIGHBOURING_MONTHS = "row_count", "neighbouring_months"
_DESCRIPTIONS = {
    ROW_COUNT: "Does the file have rows, and not far fewer than the version it replaces?",
    "reconciled": "Is every published row either a trip or a reject: footer = clean + rejects?",
    "reject_share": "Is the share of rejected rows within the dataset's bound?",
    "pickup_present": "Does every trip have a pickup time?",
    NEIGHBOURING_MONTHS: "Are its rows within a factor of two of the stored month next to it?",
}
# Only warns, because true months are beyond it: fhv 2019-02 and five of March and April 2020.
_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class ExpectedRows:
    """What the number of rows in a published file is compared with; ``None`` for what is unknown.

    ``replaced`` is the number of the version that is stored now and ``min_share`` the share of it
    (0 to 1) that must be reached; ``trusted`` is the count known for TLC's file, perhaps of an
    earlier issue, and ``accepted`` the one that a person accepts; ``neighbour`` and
    ``neighbour_rows`` are the stored month before, or else the one after.
    """

    replaced: int | None = None
    min_share: float = 0.5
    trusted: int | None = None
    accepted: int | None = None
    neighbour: Month | None = None
    neighbour_rows: int | None = None

    def allows(self, rows: int) -> bool:
        """Whether a file with so many rows may replace the stored month."""
        if rows in (self.trusted, self.accepted, self.replaced):
            return True
        return rows > 0 and rows >= self.min_share * (self.replaced or 0)


def audit_specs(spec: DatasetSpec) -> list[dg.AssetCheckSpec]:
    """The audit's checks, partitioned by month; all but one are blocking where they are errors."""
    with warnings.catch_warnings():
        # Partitioned checks are a preview; without partitions only the last month's result shows.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name,
                asset=trip_key(spec, "clean_trips"),
                description=description,
                blocking=name != NEIGHBOURING_MONTHS,
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
    blocking_reject_share: float,
    expected: ExpectedRows,
) -> list[dg.AssetCheckResult]:
    """The check results of a cleaned month.

    ``published`` is the row count of the raw file, ``expected`` what it is compared with, and
    ``missing`` the number of trips without a pickup time. A share of rejects above
    ``max_reject_share`` warns, and above ``blocking_reject_share`` fails the month.
    """
    share = counts.rejected / published if published else 0.0
    blocks = share > blocking_reject_share
    return [
        _row_count(spec, published, expected),
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
            severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        ),
        _result(
            spec,
            "pickup_present",
            missing == 0,
            f"{counted(missing, 'trip')} without {spec.pickup}.",
            {"missing": missing},
        ),
        _neighbouring_months(spec, published, expected),
    ]


def missing_pickups(spec: DatasetSpec, trips: Path) -> int:
    """Count NULLs in the file itself, so that the audit does not rely on the cleaning's SQL."""
    with pq.ParquetFile(trips) as file:
        return sum(batch.column(0).null_count for batch in file.iter_batches(columns=[spec.pickup]))


def _row_count(spec: DatasetSpec, rows: int, expected: ExpectedRows) -> dg.AssetCheckResult:
    found = [counted(rows, "row")]
    if expected.replaced is not None:
        found.append(
            f"the stored version has {expected.replaced:,}, of which {expected.min_share:.0%} must "
            "be reached"
        )
    if expected.trusted is not None:
        found.append(f"the trusted count is {expected.trusted:,}")
    numbers = {"published": rows, "stored": expected.replaced, "trusted": expected.trusted}
    return _result(
        spec,
        ROW_COUNT,
        expected.allows(rows),
        "; ".join(found) + ".",
        {name: number for name, number in numbers.items() if number is not None},
    )


def _neighbouring_months(
    spec: DatasetSpec, rows: int, expected: ExpectedRows
) -> dg.AssetCheckResult:
    other = expected.neighbour_rows
    if other is None:
        return _result(spec, NEIGHBOURING_MONTHS, True, "No month next to it is stored.", {})
    return _result(
        spec,
        NEIGHBOURING_MONTHS,
        other <= rows * _FACTOR and rows <= other * _FACTOR,
        f"{counted(rows, 'row')}; {expected.neighbour} has {other:,}.",
        {"published": rows, str(expected.neighbour): other},
        severity=dg.AssetCheckSeverity.WARN,
    )


def _result(
    spec: DatasetSpec,
    name: str,
    passed: bool,
    description: str,
    counts: Mapping[str, int],
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=trip_key(spec, "clean_trips"),
        check_name=name,
        passed=passed,
        severity=severity,
        description=description,
        metadata=dict(counts),
    )


def _main_reason(reasons: Mapping[str, int]) -> str:
    if not reasons:
        return ""
    name, count = next(iter(reasons.items()))
    return f"; most frequent reason: {name} ({count:,})"
