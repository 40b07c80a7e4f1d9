"""Map the columns of a published file to the canonical ones, or refuse the file.

The names and types of its schema are checked here, the values in ``engine``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from taxi_assets.cleaning.published import PublishedColumn
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Column, DatasetSpec, Type
from taxi_assets.errors import SchemaMismatch
from taxi_assets.wording import listed, one_line

__all__ = ["Mapped", "PublishedKind", "map_columns", "published_names"]


class PublishedKind(StrEnum):
    """The kinds of types in TLC's files; all widths of a kind are cast the same way.

    A decimal is any exact number that may not fit an integer or a double, unsigned 64 bits too.
    """

    NULL = "null"
    INTEGER = "integer"
    FLOAT = "floating"
    DECIMAL = "decimal"
    TEXT = "text"
    TIMESTAMP = "naive timestamp"


_NUMBERS: Final = frozenset({PublishedKind.INTEGER, PublishedKind.FLOAT, PublishedKind.DECIMAL})

# Which kinds have a cast to a canonical type; any other fails the month.
_CASTS: Final[Mapping[Type, frozenset[PublishedKind]]] = {
    Type.INTEGER: frozenset(PublishedKind) - {PublishedKind.TIMESTAMP},
    Type.FLOAT: frozenset(PublishedKind) - {PublishedKind.TIMESTAMP},
    Type.STRING: frozenset({PublishedKind.NULL, PublishedKind.TEXT}),
    Type.TIMESTAMP: frozenset({PublishedKind.NULL, PublishedKind.TEXT, PublishedKind.TIMESTAMP}),
}
_KINDS: Final[Mapping[str, PublishedKind]] = {
    '"NULL"': PublishedKind.NULL,
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT"), PublishedKind.INTEGER),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER"), PublishedKind.INTEGER),
    **dict.fromkeys(("FLOAT", "DOUBLE"), PublishedKind.FLOAT),
    "UBIGINT": PublishedKind.DECIMAL,
    "VARCHAR": PublishedKind.TEXT,
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S"), PublishedKind.TIMESTAMP),
    **dict.fromkeys(("TIMESTAMP_MS", "TIMESTAMP_NS"), PublishedKind.TIMESTAMP),
}
_LONGEST: Final = 80  # characters of a column's name or type in a message


@dataclass(frozen=True, slots=True)
class Mapped:
    """A canonical column and the published one it comes from, if the file has it.

    ``sql_type`` is DuckDB's type of the published column.
    """

    column: Column
    published: str | None
    kind: PublishedKind
    sql_type: str = '"NULL"'


def map_columns(
    spec: DatasetSpec, month: Month, columns: Sequence[PublishedColumn], file_name: str
) -> tuple[Mapped, ...]:
    """Map every canonical column of ``spec``, in its order.

    Raises ``SchemaMismatch``, which names the file, the columns that do not fit with their types,
    and what to edit.
    """
    types = {column.name: column.type for column in columns}
    problems = _unknown(spec, columns)
    unreadable: list[str] = []
    mapped = []
    for column in spec.columns:
        names = [name for name in column.published_as if name in types]
        if len(names) > 1:
            problems.append(f"{' and '.join(names)} are both {column.name}")
        elif not names and column.expected_in(month):
            expected = " or ".join(column.published_as)
            problems.append(f"{column.name} ({column.type}) is missing: no column {expected}")
        elif not names:
            mapped.append(Mapped(column, None, PublishedKind.NULL))
        else:
            found = types[names[0]]
            kind = _kind(found)
            if kind is not None and _has_cast(kind, column):
                mapped.append(Mapped(column, names[0], kind, found))
                continue
            (unreadable if kind is None else problems).append(
                f"{names[0]} has type {one_line(found, _LONGEST)}, which has no cast to "
                f"{column.name} ({column.type})"
            )
    if problems or unreadable:
        raise SchemaMismatch(
            f"{file_name} does not fit the specification of {spec.name} for {month}: "
            f"{listed([*problems, *unreadable])}. Nothing was stored.",
            _remedy(spec, problems, unreadable),
        )
    return tuple(mapped)


def published_names(spec: DatasetSpec, columns: Sequence[str]) -> dict[str, str]:
    """The published name of each canonical column in a file that has ``columns``."""
    return {
        column.name: name
        for column in spec.columns
        for name in column.published_as
        if name in columns
    }


def _remedy(spec: DatasetSpec, problems: Sequence[str], unreadable: Sequence[str]) -> str:
    """What to edit; the specification cannot make a type readable."""
    edits = []
    if problems:
        edits.append(f"taxi_assets/datasets/{spec.name}.py")
    if unreadable:
        edits.append(
            "taxi_assets/cleaning/mapping.py and casts.py, where no specification has a cast for "
            "such a type"
        )
    edit = f"If TLC changed the file permanently, edit {', and '.join(edits)}"
    return f"{edit}{',' if unreadable else ''} and run the month again."


def _unknown(spec: DatasetSpec, columns: Sequence[PublishedColumn]) -> list[str]:
    known = {name for column in spec.columns for name in column.published_as} | set(spec.ignored)
    unknown = [
        f"{one_line(column.name, _LONGEST)} ({one_line(column.type, _LONGEST)}) is unknown"
        if column.name
        else f"a column without a name ({one_line(column.type, _LONGEST)}) is unknown"
        for column in columns
        if column.name not in known
    ]
    counts = Counter(column.name for column in columns)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    return unknown + [f"{one_line(name, _LONGEST)} occurs more than once" for name in repeated]


def _has_cast(kind: PublishedKind, column: Column) -> bool:
    if kind in _CASTS[column.type]:
        return True
    # TLC published some Y/N flags as the numbers 0 and 1; a code table maps them.
    return column.type is Type.STRING and kind in _NUMBERS and bool(column.codes)


def _kind(sql_type: str) -> PublishedKind | None:
    return PublishedKind.DECIMAL if sql_type.startswith("DECIMAL(") else _KINDS.get(sql_type)
