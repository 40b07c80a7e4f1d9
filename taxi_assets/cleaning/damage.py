"""Where a published file is damaged: which column, row group and row.

Read only after DuckDB refused the file, whose message names neither. Arrow reads one column and row
group at a time, text without checking it and times without converting them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxi_assets.cleaning.extremes import CALENDAR_SECONDS
from taxi_assets.cleaning.mapping import Mapped, PublishedKind
from taxi_assets.wording import counted, one_line

__all__ = ["Damage", "find_damage"]

_UNITS: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_LONGEST: Final = 80


@dataclass(slots=True)
class Damage:
    """What was found: chunks that cannot be read, and values that cannot be."""

    chunks: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)


def find_damage(source: Path, mapped: Sequence[Mapped]) -> Damage:
    """The damage in those columns; none if Arrow sees none or cannot open the file."""
    damage = Damage()
    try:
        with pq.ParquetFile(source) as file:
            for each in mapped:
                if each.published is not None:
                    _examine(file, each.published, each.kind, damage)
    except (pa.ArrowException, OSError, MemoryError, ValueError):
        pass  # the engine's message is then all that is known
    return damage


def _examine(file: pq.ParquetFile, name: str, kind: PublishedKind, damage: Damage) -> None:
    bad = _Bad()
    before = 0
    for group in range(file.num_row_groups):
        try:
            for batch in file.iter_batches(row_groups=[group], columns=[name]):
                bad.add(_found(batch.column(0), kind), before)
                before += batch.num_rows
        except (pa.ArrowException, OSError, MemoryError) as error:
            damage.chunks.append(
                f"row group {group} of {name} cannot be read ({one_line(str(error), 200)})"
            )
            break  # the rows after it cannot be counted
    if bad.count:
        damage.values.append(
            f"{name} has the {kind} value {bad.value} in row {bad.row} "
            f"({counted(bad.count, 'such value')}), which {_WHY[kind]}"
        )


_WHY: Final = {
    PublishedKind.TEXT: "is not UTF-8",
    PublishedKind.TIMESTAMP: "is not between the years 1 and 9999",
}


@dataclass(slots=True)
class _Bad:
    """The first bad value of a column, its row, and how many there are."""

    value: str = ""
    row: int = 0
    count: int = 0

    def add(self, found: Iterator[tuple[int, str]], offset: int) -> None:
        for at, value in found:
            if not self.count:
                self.row, self.value = offset + at, value
            self.count += 1


def _found(values: pa.Array, kind: PublishedKind) -> Iterator[tuple[int, str]]:
    """Position and text of each bad value."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if kind is PublishedKind.TIMESTAMP and pa.types.is_timestamp(values.type):
        yield from _beyond(values)
    if kind is PublishedKind.TEXT:
        yield from _not_utf8(values)


def _beyond(values: pa.Array) -> Iterator[tuple[int, str]]:
    factor = _UNITS[values.type.unit]
    first, last = CALENDAR_SECONDS
    numbers = values.cast(pa.int64())
    beyond = pc.fill_null(
        pc.or_(
            pc.less(numbers, max(first * factor, -(2**63))),
            pc.greater(numbers, min((last + 1) * factor - 1, 2**63 - 1)),
        ),
        False,
    )
    for at in pc.indices_nonzero(beyond).to_pylist():
        yield at, f"{numbers[at].as_py():,} {values.type.unit} since 1970"


def _not_utf8(values: pa.Array) -> Iterator[tuple[int, str]]:
    content = values.cast(pa.large_binary())
    try:
        content.cast(pa.large_string())
    except pa.ArrowInvalid:
        for at, value in enumerate(content.to_pylist()):
            try:
                (value or b"").decode()
            except UnicodeDecodeError:
                yield at, one_line(repr(value), _LONGEST)
