"""Which published column feeds which canonical one, or why the month must stop.

Belongs here: names and types of one file against the specification. Does not: SQL (``casts``,
``sql``) or values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Column, DatasetSpec, Type
from taxi_assets.errors import SchemaMismatch


class PublishedKind(StrEnum):
    """The kinds of types that TLC's files have had; every width of a kind is cast alike."""

    NULL = "null"
    INTEGER = "integer"
    FLOAT = "floating"
    TEXT = "text"
    TIMESTAMP = "naive timestamp"


# A published kind that is missing here for a canonical type has no cast and stops the month.
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

    Raises ``SchemaMismatch`` naming the file, every column at fault, the type found and wanted,
    and the specification to edit.
    """
    faults = _unknown(spec, schema)
    mapped = []
    for column in spec.columns:
        names = [name for name in column.published_as if name in schema.names]
        if len(names) > 1:
            faults.append(f"{' and '.join(names)} are both {column.name}")
        elif not names and column.expected_in(month):
            wanted = " or ".join(column.published_as)
            faults.append(f"{column.name} ({column.type}) is missing: no column {wanted}")
        elif not names:
            mapped.append(Mapped(column, None, PublishedKind.NULL))
        else:
            found = schema.types[schema.names.index(names[0])]
            kind = _kind(found)
            if kind is None or not _has_cast(kind, column):
                faults.append(
                    f"{names[0]} has type {found}; {column.name} wants {column.type} "
                    "and there is no cast"
                )
            else:
                mapped.append(Mapped(column, names[0], kind))
    if faults:
        raise SchemaMismatch(
            f"{file_name} does not fit the specification of {spec.name} for {month}: "
            f"{'; '.join(faults)}. If TLC changed the file for good, edit "
            f"taxi_assets/datasets/{spec.name}.py and run the month again; nothing was stored."
        )
    return tuple(mapped)


def published_names(spec: DatasetSpec, columns: Sequence[str]) -> dict[str, str]:
    """The published column behind each canonical one, of a file that has ``columns``."""
    return {
        column.name: name
        for column in spec.columns
        for name in column.published_as
        if name in columns
    }


def _unknown(spec: DatasetSpec, schema: pa.Schema) -> list[str]:
    known = {name for column in spec.columns for name in column.published_as} | set(spec.ignored)
    faults = [
        f"{field.name} ({field.type}) is unknown" for field in schema if field.name not in known
    ]
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    return faults + [f"{name} is there more than once" for name in twice]


def _has_cast(kind: PublishedKind, column: Column) -> bool:
    if kind in _CASTS[column.type]:
        return True
    # TLC published some Y/N flags as 0 and 1, as numbers too; a code table says what they mean.
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
