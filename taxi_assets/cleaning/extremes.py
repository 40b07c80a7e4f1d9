"""Values out of range in a cleaned month, found by the statistics of its files.

DuckDB writes the minimum and maximum of every column into the footer, so that looking for
infinities and impossible times costs no pass over the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

import pyarrow.parquet as pq

from taxi_assets.cleaning.casts import cast_failure, fails_visibly
from taxi_assets.cleaning.mapping import Mapped
from taxi_assets.datasets.spec import Type

__all__ = ["CALENDAR_SECONDS", "suspects"]

_EPOCH: Final = date(1970, 1, 1)
CALENDAR_SECONDS: Final = (
    (date.min - _EPOCH).days * 86_400,
    (date.max - _EPOCH).days * 86_400 + 86_399,
)
"""The first and the last second of the years 1 to 9999, since 1970."""

_EXACT: Final = 2**53  # the largest double up to which every integer is exact


def suspects(mapped: Sequence[Mapped], footers: Iterable[pq.FileMetaData]) -> list[Mapped]:
    """The columns of which a cleaned value may be out of range, by the files' statistics."""
    checked = [each for each in mapped if fails_visibly(each) and cast_failure(each)]
    chunks = [
        (footer.schema.names.index(each.column.name), each, footer.row_group(group))
        for footer in footers
        for group in range(footer.num_row_groups)
        for each in checked
    ]
    found = {
        each.column.name
        for at, each, group in chunks
        if _may_be_beyond(each.column.type, group.column(at).statistics)
    }
    return [each for each in checked if each.column.name in found]


def _may_be_beyond(type_: Type, facts: pq.Statistics | None) -> bool:
    if facts is None or not facts.has_min_max:
        return facts is None or facts.num_values > 0  # of a column that is not all NULL
    least, most = facts.min_raw, facts.max_raw
    if type_ is Type.TIMESTAMP:
        first, last = (each * 1_000_000 for each in CALENDAR_SECONDS)
        return bool(least < first or most >= last + 1_000_000)
    return bool(max(abs(least), abs(most)) >= _EXACT)
