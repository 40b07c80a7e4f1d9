"""Definitions of warehouse tables, independent of the engine.

They are made from a dataset's specification or from the schema of an asset's value. Each engine
has its own DDL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from taxi_assets.datasets.arrow import ARROW, GEOARROW
from taxi_assets.datasets.spec import DatasetSpec, Type
from taxi_assets.datasets.stored import Part, documentation, stored_columns
from taxi_assets.errors import ObjectMissing, TableSchemaConflict

__all__ = [
    "SOURCE_MONTH",
    "Table",
    "TableColumn",
    "added_columns",
    "read_schema",
    "table_from_schema",
    "table_of",
]

SOURCE_MONTH = "source_month"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its name, canonical type and description (may be empty)."""

    name: str
    type: Type
    description: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table. ``monthly`` tables have ``source_month`` and are replaced a month at a time, the
    others completely. ``cluster_by`` orders rows within a month if the engine supports it.
    ``dataset`` is the TLC dataset in it, if any.
    """

    name: str
    description: str
    columns: tuple[TableColumn, ...]
    monthly: bool
    cluster_by: tuple[str, ...] = ()
    dataset: str | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def arrow_schema(self) -> pa.Schema:
        """The same columns as Arrow fields."""
        return pa.schema([(column.name, ARROW[column.type]) for column in self.columns])


def added_columns(table: Table, existing: Sequence[tuple[str, Type | str]]) -> list[TableColumn]:
    """The columns missing in ``existing``, which has the table's current names and types.

    A type without a canonical equivalent is given as text. Raises ``TableSchemaConflict`` for a
    changed type or a removed column: columns are only ever added to a table.
    """
    have = dict(existing)
    wanted = {column.name: column.type for column in table.columns}
    removed = sorted(set(have) - set(wanted))
    changed = sorted(name for name in wanted if name in have and have[name] != wanted[name])
    if removed or changed:
        parts = [f"{name} is {have[name]}, expected {wanted[name]}" for name in changed]
        parts += [f"{name} is in the table but not in the specification" for name in removed]
        raise TableSchemaConflict(
            f"Table {table.name} has other columns: {'; '.join(parts)}. Only new columns are added "
            "automatically.",
            "Rename or drop the table and load its months again, or correct the specification.",
        )
    return [column for column in table.columns if column.name not in have]


def read_schema(
    table: str, existing: Sequence[tuple[str, Type | str]], columns: Sequence[str] | None
) -> pa.Schema:
    """The Arrow schema of ``columns`` (``None``: all) of a table, in that order.

    Raises ``ObjectMissing`` for an unknown column, ``TableSchemaConflict`` for one without a
    canonical type.
    """
    have = dict(existing)
    chosen = list(have) if columns is None else list(columns)
    unknown = sorted(set(chosen) - set(have))
    if unknown:
        raise ObjectMissing(
            f"{table} has no column {', '.join(unknown)}.", f"Choose from {list(have)}."
        )
    fields = []
    for name in chosen:
        type_ = have[name]
        if not isinstance(type_, Type):
            raise TableSchemaConflict(
                f"Column {name} of {table} is {type_}, which cannot be read.", "Leave it out."
            )
        fields.append(pa.field(name, ARROW[type_]))
    return pa.schema(fields)


def table_of(spec: DatasetSpec, part: Part) -> Table:
    """The table of a dataset's trips or rejects, with every column documented."""
    columns = tuple(
        TableColumn(column.name, column.type, documentation(column))
        for column in stored_columns(spec, part)
    )
    description = f"{spec.title}: {part}, one partition per file month. {spec.description}"
    return Table(f"{spec.name}_{part}", description, columns, True, spec.cluster_by, spec.name)


def table_from_schema(name: str, schema: pa.Schema, *, monthly: bool) -> Table:
    """The table for an asset's value; raises ``TableSchemaConflict`` for an unsupported type.

    A field's metadata may hold its ``description``.
    """
    columns = tuple(
        TableColumn(field.name, _type_of(name, field), _description(field)) for field in schema
    )
    return Table(name, "", columns, monthly)


def _type_of(table: str, field: pa.Field) -> Type:
    if GEOARROW.items() <= (field.metadata or {}).items():
        return Type.GEOGRAPHY
    type_ = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    kinds = (
        (pa.types.is_integer, Type.INTEGER),
        (pa.types.is_floating, Type.FLOAT),
        (pa.types.is_boolean, Type.BOOLEAN),
        (pa.types.is_date, Type.DATE),
        (_is_text, Type.STRING),
        (lambda type_: pa.types.is_timestamp(type_) and type_.tz is None, Type.TIMESTAMP),
    )
    for matches, kind in kinds:
        if matches(type_):
            return kind
    raise TableSchemaConflict(
        f"Column {field.name} of {table} has type {field.type}, which no warehouse can store.",
        "Return integers, floats, text, dates, booleans or naive timestamps: round a decimal to "
        "float (astype), and take the time zone off (dt.tz_convert, then dt.tz_localize(None)).",
    )


def _description(field: pa.Field) -> str:
    return str((field.metadata or {}).get(b"description", b"").decode())


def _is_text(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_string_view(type_)
    )
