"""Which months should be there by now, and how a list of months reads."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

from taxi_assets.datasets.month import Month, months_between

__all__ = ["DUE_DAY", "month_due", "overdue", "several"]

# The longest wait on record, 62 days, ends on the first or second of a month.
DUE_DAY: Final = 5


def month_due(today: date, lag_months: int) -> Month:
    """The newest month that TLC should have published: it ended ``lag_months`` before."""
    behind = 1 + lag_months + (today.day < DUE_DAY)
    return Month.of(today).plus(-behind)


def overdue(loaded: Collection[Month], due: Month) -> list[Month]:
    """The months that are missing from the earliest loaded one to ``due``, oldest first."""
    if not loaded:
        return []
    return [month for month in months_between(min(loaded), due) if month not in loaded]


def several(months: Collection[Month]) -> str:
    """Months in ascending order, runs of three and more as ``2024-01 to 2024-03``."""
    spans: list[list[Month]] = []
    for month in sorted(months):
        if spans and spans[-1][-1].plus(1) == month:
            spans[-1].append(month)
        else:
            spans.append([month])
    return ", ".join(
        f"{span[0]} to {span[-1]}" if len(span) > 2 else ", ".join(map(str, span)) for span in spans
    )
