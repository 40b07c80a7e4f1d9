"""The shape of a warehouse table, apart from any engine.

Belongs here: table and column definitions, made from a specification or from a frame's schema.
Does not: DDL (each engine writes its own).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from taxi_assets.datasets.arrow import ARROW
from taxi_assets.datasets.spec import DatasetSpec, Type
from taxi_assets.datasets.stored import Part, documentation, stored_columns
from taxi_assets.errors import ObjectMissing, TableSchemaConflict

SOURCE_MONTH = "source_month"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column: its name, canonical type and what it means (may be empty)."""

    name: str
    type: Type
    description: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table. ``monthly`` tables hold ``source_month`` and are replaced a month at a time;
    the others are replaced whole. ``cluster_by`` orders rows within a month where an engine can.
    ``dataset`` is the TLC dataset it holds, if it holds one.
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
    """The columns that ``existing`` (name and type of the table as it is) still lacks.

    A type an engine has and we have not is given as text. Raises ``TableSchemaConflict`` when a
    column changed its type or went away: the only change made to a table is to add columns.
    """
    have = dict(existing)
    wanted = {column.name: column.type for column in table.columns}
    gone = sorted(set(have) - set(wanted))
    changed = sorted(name for name in wanted if name in have and have[name] != wanted[name])
    if gone or changed:
        parts = [f"{name} is {have[name]}, now wanted {wanted[name]}" for name in changed]
        parts += [f"{name} is in the table but no longer wanted" for name in gone]
        raise TableSchemaConflict(
            f"Table {table.name} cannot take these columns: {'; '.join(parts)}. Only added "
            "columns are applied on their own.",
            "Rename or drop the table and load its months again, or bring the specification back "
            "in line.",
        )
    return [column for column in table.columns if column.name not in have]


def read_schema(
    table: str, existing: Sequence[tuple[str, Type | str]], columns: Sequence[str] | None
) -> pa.Schema:
    """The Arrow schema of ``columns`` (``None``: all) of a table, in the order asked for.

    Raises ``ObjectMissing`` for a column it has not, ``TableSchemaConflict`` for one whose type
    is none of ours.
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
                f"Column {name} of {table} is {type_}, which is not read here.", "Leave it out."
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
    """The table of a frame an asset returned; raises ``TableSchemaConflict`` for other types."""
    columns = tuple(TableColumn(field.name, _type_of(name, field)) for field in schema)
    return Table(name, "", columns, monthly)


def _type_of(table: str, field: pa.Field) -> Type:
    kinds = (
        (pa.types.is_integer, Type.INTEGER),
        (pa.types.is_floating, Type.FLOAT),
        (pa.types.is_boolean, Type.BOOLEAN),
        (pa.types.is_date, Type.DATE),
        (_is_text, Type.STRING),
        (lambda type_: pa.types.is_timestamp(type_) and type_.tz is None, Type.TIMESTAMP),
    )
    for matches, kind in kinds:
        if matches(field.type):
            return kind
    raise TableSchemaConflict(
        f"Column {field.name} of {table} has type {field.type}, which no warehouse here stores.",
        "Return integers, floats, text, dates, booleans or naive timestamps.",
    )


def _is_text(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_null(type_)
    )
