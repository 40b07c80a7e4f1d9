"""Reads the file of trusted row counts, ``TAXI_ROW_COUNTS``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from taxi_assets.datasets import Month, dataset
from taxi_assets.errors import Misconfigured

__all__ = ["read_counts"]

_COLUMNS: Final = ("dataset", "month", "rows")


def read_counts(path: Path) -> Mapping[tuple[str, Month], int]:
    """Published rows by dataset and month, from a CSV file with the columns dataset, month, rows.

    Raises ``Misconfigured``, which names the line, for a file that is missing or has anything else.
    """
    counts: dict[tuple[str, Month], int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            if not set(_COLUMNS) <= set(lines.fieldnames or ()):
                raise ValueError(
                    f"its columns are {', '.join(lines.fieldnames or ()) or 'missing'}"
                )
            for line in lines:
                name, month, rows = _count(line, lines.line_num)
                if (name, month) in counts:
                    raise ValueError(f"line {lines.line_num}: {name} {month} has two counts")
                counts[name, month] = rows
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


def _count(line: Mapping[str, str | None], number: int) -> tuple[str, Month, int]:
    name, month, rows = (line[column] or "" for column in _COLUMNS)
    try:
        if not rows.isdecimal():
            raise ValueError(f"{rows!r} is not a number of rows")
        return dataset(name).name, Month.parse(month), int(rows)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error
