"""Known row counts of TLC's files: those that come with the package, and ``TAXI_ROW_COUNTS``.

The package has the counts of the 589 Parquet files that TLC had published by the autumn of 2026,
``published_rows.csv``. A count is true of one version of a file: TLC reissues files, and a reissue
may have other rows (green 2026-06 had 39,156, then 44,163). So an equal count shows that a file is
right, and a different one does not show that it is wrong.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from taxi_assets.datasets import Month, dataset
from taxi_assets.errors import Misconfigured

__all__ = ["PACKAGED", "TrustedCount", "packaged_counts", "read_counts"]

PACKAGED: Final = Path(__file__).with_name("published_rows.csv")
_COLUMNS: Final = ("dataset", "month", "rows")
_PUBLISHED: Final = "published"


@dataclass(frozen=True, slots=True)
class TrustedCount:
    """The rows of a published file; ``published`` is the day it was last modified, if known."""

    rows: int
    published: date | None = None


@cache
def packaged_counts() -> Mapping[tuple[str, Month], TrustedCount]:
    """The counts that come with the package, by dataset and month."""
    return read_counts(PACKAGED)


def read_counts(path: Path) -> Mapping[tuple[str, Month], TrustedCount]:
    """Counts by dataset and month, from a CSV file with the columns dataset, month, rows.

    A column ``published`` (YYYY-MM-DD or empty) may give the day of the counted file; other columns
    are ignored. Raises ``Misconfigured``, which names the line, for a file that is missing or has
    anything else.
    """
    counts: dict[tuple[str, Month], TrustedCount] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            if not set(_COLUMNS) <= set(lines.fieldnames or ()):
                raise ValueError(
                    f"its columns are {', '.join(lines.fieldnames or ()) or 'missing'}"
                )
            for line in lines:
                name, month, count = _count(line, lines.line_num)
                if (name, month) in counts:
                    raise ValueError(f"line {lines.line_num}: {name} {month} has two counts")
                counts[name, month] = count
    except OSError as error:
        raise Misconfigured(
            f"TAXI_ROW_COUNTS is {str(path)!r}, which cannot be read: {error.strerror}.",
            "Set it to a CSV file.",
        ) from error
    except (ValueError, csv.Error) as error:
        raise Misconfigured(
            f"TAXI_ROW_COUNTS is {str(path)!r}, which is not a file of row counts: {error}.",
            f"It needs the columns {', '.join(_COLUMNS)} and a line for each month, such as "
            "green,2024-01,56551.",
        ) from error
    return counts


def _count(line: Mapping[str, str | None], number: int) -> tuple[str, Month, TrustedCount]:
    name, month, rows = (line[column] or "" for column in _COLUMNS)
    published = line.get(_PUBLISHED)
    try:
        if not rows.isdecimal():
            raise ValueError(f"{rows!r} is not a number of rows")
        day = date.fromisoformat(published) if published else None
        return dataset(name).name, Month.parse(month), TrustedCount(int(rows), day)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error
