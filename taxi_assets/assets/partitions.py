"""Which months a dataset's assets have.

Belongs here: partition definitions and their conversion to months. Does not: whether a month has
been published (``tlc``).
"""

from __future__ import annotations

import dagster as dg

from taxi_assets.datasets.spec import DatasetSpec


def monthly(spec: DatasetSpec) -> dg.MonthlyPartitionsDefinition:
    """Every month from the dataset's first, keyed ``YYYY-MM``.

    TLC publishes 47 to 62 days after a month's end, so the month that has just ended is left
    out: it cannot be there yet, and would show as missing.
    """
    return dg.MonthlyPartitionsDefinition(
        start_date=str(spec.first_month), fmt="%Y-%m", end_offset=-1
    )
