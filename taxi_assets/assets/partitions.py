"""The partitions of a dataset's assets: one per month.

https://docs.dagster.io/guides/build/partitions-and-backfills/partitioning-assets
"""

from __future__ import annotations

import dagster as dg

from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["monthly"]


def monthly(spec: DatasetSpec) -> dg.MonthlyPartitionsDefinition:
    """Every month from the dataset's first, keyed ``YYYY-MM``.

    TLC publishes a month 47 to 62 days after its end, so the month that has just ended is excluded:
    it cannot be published yet and would show as missing.
    """
    return dg.MonthlyPartitionsDefinition(
        start_date=str(spec.first_month), fmt="%Y-%m", end_offset=-1
    )
