"""Parsing, formatting, ordering and arithmetic of months."""

from __future__ import annotations

from datetime import date

import pytest

from taxi_assets.datasets import Month, months_between, parse_months
from taxi_assets.datasets.month import several


def test_a_month_is_formatted_as_it_is_parsed() -> None:
    assert str(Month.parse(" 2009-01 ")) == "2009-01"


@pytest.mark.parametrize("text", ["2024-1", "2024-13", "2024-00", "2024/01", "2024-01-01", ""])
def test_an_invalid_month_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="is not a month") as refused:
        Month.parse(text)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("months", "expected"),
    [(0, "2024-01"), (1, "2024-02"), (-1, "2023-12"), (11, "2024-12"), (12, "2025-01")],
)
def test_adding_months_crosses_the_year(months: int, expected: str) -> None:
    assert str(Month(2024, 1).plus(months)) == expected


def test_the_month_of_a_day_and_the_first_day_of_a_month() -> None:
    assert Month.of(date(2024, 2, 29)) == Month(2024, 2)
    assert Month(2024, 2).first_day == date(2024, 2, 1)


def test_a_range_includes_both_ends() -> None:
    assert [str(month) for month in parse_months("2023-12:2024-02")] == [
        "2023-12",
        "2024-01",
        "2024-02",
    ]
    assert parse_months("2024-01") == [Month(2024, 1)]
    assert list(months_between(Month(2024, 2), Month(2024, 1))) == []


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        parse_months("2024-02:2024-01")


@pytest.mark.parametrize(
    ("months", "text"),
    [
        ("2024-01", "2024-01"),
        ("2024-02 2024-01", "2024-01, 2024-02"),
        ("2023-11 2023-12 2024-01", "2023-11 to 2024-01"),
        ("2024-01 2024-03 2024-04 2024-05 2024-08", "2024-01, 2024-03 to 2024-05, 2024-08"),
    ],
)
def test_months_are_listed_in_order_and_consecutive_ones_as_ranges(months: str, text: str) -> None:
    assert several([Month.parse(month) for month in months.split()]) == text
