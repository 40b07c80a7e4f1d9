"""Map the columns of a published file to the canonical ones, or refuse the file.

The names and types of its schema are checked here, the values in ``engine``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Column, DatasetSpec, Type
from taxi_assets.errors import SchemaMismatch

__all__ = ["Mapped", "PublishedKind", "map_columns", "published_names"]


class PublishedKind(StrEnum):
    """The kinds of types in TLC's files; all widths of a kind are cast the same way."""

    NULL = "null"
    INTEGER = "integer"
    FLOAT = "floating"
    TEXT = "text"
    TIMESTAMP = "naive timestamp"


# Which kinds have a cast to a canonical type; any other fails the month.
_CASTS: dict[Type, frozenset[PublishedKind]] = {
    Type.INTEGER: frozenset(PublishedKind) - {PublishedKind.TIMESTAMP},
    Type.FLOAT: frozenset(PublishedKind) - {PublishedKind.TIMESTAMP},
    Type.STRING: frozenset({PublishedKind.NULL, PublishedKind.TEXT}),
    Type.TIMESTAMP: frozenset({PublishedKind.NULL, PublishedKind.TEXT, PublishedKind.TIMESTAMP}),
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A canonical column and the published one it comes from, if the file has it."""

    column: Column
    published: str | None
    kind: PublishedKind


def map_columns(
    spec: DatasetSpec, month: Month, schema: pa.Schema, file_name: str
) -> tuple[Mapped, ...]:
    """Map every canonical column of ``spec``, in its order.

    Raises ``SchemaMismatch``, which names the file, every column that does not fit with its type,
    and the specification to edit.
    """
    problems = _unknown(spec, schema)
    mapped = []
    for column in spec.columns:
        names = [name for name in column.published_as if name in schema.names]
        if len(names) > 1:
            problems.append(f"{' and '.join(names)} are both {column.name}")
        elif not names and column.expected_in(month):
            expected = " or ".join(column.published_as)
            problems.append(f"{column.name} ({column.type}) is missing: no column {expected}")
        elif not names:
            mapped.append(Mapped(column, None, PublishedKind.NULL))
        else:
            found = schema.types[schema.names.index(names[0])]
            kind = _kind(found)
            if kind is None or not _has_cast(kind, column):
                problems.append(
                    f"{names[0]} has type {found}, which has no cast to {column.name} "
                    f"({column.type})"
                )
            else:
                mapped.append(Mapped(column, names[0], kind))
    if problems:
        raise SchemaMismatch(
            f"{file_name} does not fit the specification of {spec.name} for {month}: "
            f"{'; '.join(problems)}. Nothing was stored.",
            "If TLC changed the file permanently, edit "
            f"taxi_assets/datasets/{spec.name}.py and run the month again.",
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


def _unknown(spec: DatasetSpec, schema: pa.Schema) -> list[str]:
    known = {name for column in spec.columns for name in column.published_as} | set(spec.ignored)
    unknown = [
        f"{field.name} ({field.type}) is unknown" for field in schema if field.name not in known
    ]
    repeated = sorted({name for name in schema.names if schema.names.count(name) > 1})
    return unknown + [f"{name} occurs more than once" for name in repeated]


def _has_cast(kind: PublishedKind, column: Column) -> bool:
    if kind in _CASTS[column.type]:
        return True
    # TLC published some Y/N flags as the numbers 0 and 1; a code table maps them.
    numeric = kind in (PublishedKind.INTEGER, PublishedKind.FLOAT)
    return column.type is Type.STRING and numeric and bool(column.codes)


def _kind(type_: pa.DataType) -> PublishedKind | None:
    kinds = (
        (pa.types.is_null, PublishedKind.NULL),
        (pa.types.is_integer, PublishedKind.INTEGER),
        (pa.types.is_floating, PublishedKind.FLOAT),
        (pa.types.is_string, PublishedKind.TEXT),
        (pa.types.is_large_string, PublishedKind.TEXT),
        (lambda found: pa.types.is_timestamp(found) and found.tz is None, PublishedKind.TIMESTAMP),
    )
    return next((kind for matches, kind in kinds if matches(type_)), None)
