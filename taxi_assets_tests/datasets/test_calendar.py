"""A month is due some months after it ends, and overdue if it is not loaded by then."""

from __future__ import annotations

from datetime import date

import pytest

from taxi_assets.datasets import DATASETS, Month
from taxi_assets.datasets.calendar import month_due, overdue

GREEN = DATASETS["green"]


@pytest.mark.parametrize(
    ("today", "lag", "due"),
    [
        (date(2024, 12, 5), 2, Month(2024, 9)),  # 66 days after it ends: TLC's longest delay was 62
        (date(2024, 12, 4), 2, Month(2024, 8)),
        (date(2025, 1, 5), 2, Month(2024, 10)),
        (date(2024, 12, 5), 1, Month(2024, 10)),
        (date(2024, 12, 5), 6, Month(2024, 5)),
    ],
)
def test_a_month_is_due_so_many_months_after_its_end(today: date, lag: int, due: Month) -> None:
    assert month_due(today, lag) == due


@pytest.mark.parametrize(
    ("loaded", "today", "found"),
    [
        ("2024-01 2024-03", date(2024, 8, 4), "2024-02 2024-04"),
        ("2024-01 2024-03", date(2024, 8, 5), "2024-02 2024-04 2024-05"),
        ("2024-01 2024-02 2024-03 2024-04 2024-05", date(2024, 8, 5), ""),
        ("2024-07", date(2024, 8, 5), ""),
        ("2013-08 2014-01", date(2014, 5, 5), "2014-02"),
        ("", date(2024, 8, 5), ""),
    ],
    ids=["a gap", "a month that became due", "complete", "ahead", "before the first", "unused"],
)
def test_due_months_since_the_earliest_loaded_are_overdue(
    loaded: str, today: date, found: str
) -> None:
    months = {Month.parse(month) for month in loaded.split()}
    assert [str(m) for m in overdue(GREEN, months, today, lag_months=2)] == found.split()
