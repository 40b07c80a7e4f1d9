"""What the pages in ``docs/`` show: the query of published rows, and tables."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "from-prefect.md"
_SECTION = "## How many rows did TLC publish?\n"


def published_rows_query() -> str:
    """The only SQL of the section on published rows."""
    (query,) = re.findall(r"^```sql\n(.*?)^```$", _section(), re.M | re.S)
    return str(query)


def published_rows_shown() -> list[tuple[str, int, int]]:
    """The query's result as shown below it: month, published rows, rejects."""
    lines = re.findall(r"^\| (\d{4}-\d\d)-01 \| ([\d,]+) \| (\d+) \|$", _section(), re.M)
    return [(month, _number(rows), int(rejects)) for month, rows, rejects in lines]


def homework_shown() -> list[tuple[str, str, str, int]]:
    """The last column of the homework's table: dataset, first and last month, published rows."""
    lines = re.findall(
        r"^\| (\w+) ([\d-]{7})(?: to ([\d-]{7}))? \|.*\| ([\d,]+) \|$", _section(), re.M
    )
    return [(name, first, last or first, _number(rows)) for name, first, last, rows in lines]


def _section() -> str:
    return PAGE.read_text("utf-8").partition(_SECTION)[2].partition("\n## ")[0]


def _number(text: str) -> int:
    return int(text.replace(",", ""))
