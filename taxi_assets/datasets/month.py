"""A calendar month: the unit in which TLC publishes and this platform works.

A dataset's first month is in its specification; ``calendar`` defines when a month is due.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

__all__ = ["Month", "months_between", "parse_months", "several"]

_PATTERN = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """One month; ``str()`` gives ``YYYY-MM``, which is also its partition key."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not 1 <= self.month <= 12:
            raise ValueError(f"{self.year:04d}-{self.month:02d} is not a month")

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read ``YYYY-MM``; raise ``ValueError`` for any other text."""
        match = _PATTERN.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text!r} is not a month; write it as YYYY-MM, such as 2024-01")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month of ``day``."""
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        """The first day, which is the value of ``source_month``."""
        return date(self.year, self.month, 1)

    @property
    def days(self) -> int:
        """How many days the month has."""
        return (self.plus(1).first_day - self.first_day).days

    def plus(self, months: int) -> Month:
        """The month ``months`` later (earlier when negative)."""
        index = self.year * 12 + (self.month - 1) + months
        return Month(index // 12, index % 12 + 1)


def months_between(first: Month, last: Month) -> Iterator[Month]:
    """Every month from ``first`` to ``last``, both included."""
    month = first
    while month <= last:
        yield month
        month = month.plus(1)


def parse_months(text: str) -> list[Month]:
    """Read one month (``2024-01``) or an inclusive range (``2024-01:2024-03``).

    Raises ``ValueError`` with a one-line message for the user.
    """
    first_text, colon, last_text = text.partition(":")
    first = Month.parse(first_text)
    last = Month.parse(last_text) if colon else first
    if last < first:
        raise ValueError(f"{text!r} ends before it begins; write the earlier month first")
    return list(months_between(first, last))


def several(months: Collection[Month]) -> str:
    """Months in ascending order, three and more in a row as ``2024-01 to 2024-03``."""
    spans: list[list[Month]] = []
    for month in sorted(months):
        if spans and spans[-1][-1].plus(1) == month:
            spans[-1].append(month)
        else:
            spans.append([month])
    return ", ".join(
        f"{span[0]} to {span[-1]}" if len(span) > 2 else ", ".join(map(str, span)) for span in spans
    )
