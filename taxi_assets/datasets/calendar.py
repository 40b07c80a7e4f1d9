"""When a month is due, and which months are overdue.

TLC publishes a month 47 to 62 days after it ends, so a month is due some months later. The monthly
schedules and the checks ``overdue_months`` share this one rule.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

from taxi_assets.datasets.month import Month, months_between
from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["DUE_DAY", "month_due", "overdue"]

# The longest wait on record, 62 days, ends on the first or second of a month.
DUE_DAY: Final = 5


def month_due(today: date, lag_months: int) -> Month:
    """The newest month that TLC should have published: it ended ``lag_months`` before."""
    return Month.of(today).plus(-1 - lag_months - (today.day < DUE_DAY))


def overdue(
    spec: DatasetSpec, loaded: Collection[Month], today: date, lag_months: int
) -> list[Month]:
    """The due months since the earliest loaded one that are not among ``loaded``, oldest first.

    Months before the earliest loaded one were never requested, and a dataset without a loaded
    month is not in use: neither is overdue.
    """
    if not loaded:
        return []
    since = max(spec.first_month, min(loaded))
    due = months_between(since, month_due(today, lag_months))
    return [month for month in due if month not in loaded]
