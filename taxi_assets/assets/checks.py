"""What is asked of a month before it goes on.

Belongs here: the checks of the trips' assets and the verdicts on one month. Does not: recording
them (``months``) or how rows are judged one by one (``datasets``).
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
from dagster import PreviewWarning

from taxi_assets.assets.partitions import monthly
from taxi_assets.cleaning import CleanedMonth
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec


@dataclass(frozen=True, slots=True)
class Check:
    """One question; ``blocking`` ones stop the month where they are asked."""

    name: str
    blocking: bool
    question: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer for one month, in a sentence, with the counts it rests on."""

    check: str
    blocking: bool
    passed: bool
    description: str
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def severity(self) -> dg.AssetCheckSeverity:
        """A blocking check's failure is an error, any other's a warning."""
        return dg.AssetCheckSeverity.ERROR if self.blocking else dg.AssetCheckSeverity.WARN

    @property
    def stops_the_month(self) -> bool:
        """Whether nothing downstream may see this month."""
        return self.blocking and not self.passed


PUBLISHED_ROWS = Check(
    "published_rows", False, "Does the file hold as many rows as the trusted count says, if known?"
)
RECONCILED = Check(
    "reconciled",
    True,
    "Is every published row either a trip or a reject: footer = clean + rejects?",
)
REJECT_SHARE = Check(
    "reject_share", True, "Is the share of rejected rows within the dataset's bound?"
)
PICKUP_PRESENT = Check("pickup_present", True, "Does every trip have a pickup time?")
WAREHOUSE_RECONCILED = Check(
    "reconciled", True, "Does the warehouse hold exactly the lake's rows of the month?"
)

RAW_CHECKS = (PUBLISHED_ROWS,)
CLEAN_CHECKS = (RECONCILED, REJECT_SHARE, PICKUP_PRESENT)
WAREHOUSE_CHECKS = (WAREHOUSE_RECONCILED,)


def check_specs(
    spec: DatasetSpec, asset: dg.AssetKey, checks: tuple[Check, ...]
) -> list[dg.AssetCheckSpec]:
    """The checks of one asset, asked per month."""
    with warnings.catch_warnings():
        # Partitioned checks are a preview; without them a month's verdict hides its neighbours'.
        warnings.simplefilter("ignore", PreviewWarning)
        return [
            dg.AssetCheckSpec(
                check.name,
                asset=asset,
                description=check.question,
                blocking=check.blocking,
                partitions_def=monthly(spec),
            )
            for check in checks
        ]


def published_rows(spec: DatasetSpec, month: Month, rows: int, trusted: Path | None) -> Outcome:
    """Compare with the CSV of trusted counts (columns dataset, month, rows), if there is one."""
    known = _trusted_count(spec, month, trusted)
    if known is None:
        return _outcome(PUBLISHED_ROWS, True, f"{rows:,} rows; no trusted count to compare.")
    counts = {"published": rows, "trusted": known}
    says = f"{rows:,} rows published, {known:,} trusted."
    return _outcome(PUBLISHED_ROWS, rows == known, says, counts)


def audit(cleaned: CleanedMonth, published: int, max_reject_share: float) -> list[Outcome]:
    """The verdicts on a cleaned month; ``published`` is the raw object's own row count."""
    kept, rejected = cleaned.clean_rows, cleaned.rejected_rows
    share = rejected / published if published else 0.0
    missing = _missing(cleaned.trips, cleaned.spec.pickup)
    return [
        _outcome(
            RECONCILED,
            published == kept + rejected,
            f"{published:,} published, {kept:,} clean + {rejected:,} rejected.",
            {"published": published, "clean": kept, "rejected": rejected},
        ),
        _outcome(
            REJECT_SHARE,
            share <= max_reject_share,
            f"{share:.3%} of the rows are rejected, {max_reject_share:.3%} are allowed"
            f"{_most(cleaned.reasons)}.",
            {"rejected": rejected},
        ),
        _outcome(
            PICKUP_PRESENT,
            missing == 0,
            f"{missing:,} trips have no {cleaned.spec.pickup}.",
            {"missing": missing},
        ),
    ]


def warehouse_reconciled(lake: Mapping[str, int], warehouse: Mapping[str, int]) -> Outcome:
    """Compare the rows of each part, by table name."""
    says = ", ".join(
        f"{table}: {rows:,} in the lake, {warehouse[table]:,} in the warehouse"
        for table, rows in lake.items()
    )
    counts = {f"{table} in lake": rows for table, rows in lake.items()}
    counts |= {f"{table} in warehouse": rows for table, rows in warehouse.items()}
    return _outcome(WAREHOUSE_RECONCILED, dict(lake) == dict(warehouse), f"{says}.", counts)


def _outcome(
    check: Check, passed: bool, description: str, counts: Mapping[str, int] | None = None
) -> Outcome:
    return Outcome(check.name, check.blocking, passed, description, counts or {})


def _trusted_count(spec: DatasetSpec, month: Month, trusted: Path | None) -> int | None:
    if trusted is None:
        return None
    with trusted.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["dataset"] == spec.name and row["month"] == str(month):
                return int(row["rows"])
    return None


def _missing(trips: Path, column: str) -> int:
    """Count NULLs by reading the column itself: the check must not trust the cleaning's SQL."""
    with pq.ParquetFile(trips) as file:
        return sum(batch.column(0).null_count for batch in file.iter_batches(columns=[column]))


def _most(reasons: Mapping[str, int]) -> str:
    if not reasons:
        return ""
    name, count = next(iter(reasons.items()))
    return f"; most for {name} ({count:,})"
