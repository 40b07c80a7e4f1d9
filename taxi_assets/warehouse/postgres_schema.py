"""DDL for PostgreSQL: create tables and add columns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.errors import Misconfigured, TableSchemaConflict
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table, TableColumn, added_columns

__all__ = [
    "NAME_BYTES",
    "QualifiedName",
    "attached_partition",
    "check_names",
    "columns_of",
    "definitions",
    "ensure_table",
]

FIELD_TYPES: dict[Type, LiteralString] = {
    Type.INTEGER: "bigint",
    Type.FLOAT: "double precision",
    Type.GEOGRAPHY: "text",  # above STRING, which text is read as
    Type.STRING: "text",
    Type.TIMESTAMP: "timestamp without time zone",
    Type.DATE: "date",
    Type.BOOLEAN: "boolean",
}
_TYPES: dict[str, Type] = {name: type_ for type_, name in FIELD_TYPES.items()}
_MONTH_COLUMN = sql.Identifier(SOURCE_MONTH)
NAME_BYTES: Final = 63
"""The longest name; PostgreSQL cuts longer ones off, without an error."""


@dataclass(frozen=True, slots=True)
class QualifiedName:
    """A table's name with its schema; gives the names of its partitions.

    Raises ``Misconfigured`` if PostgreSQL would cut it off: it would name another table.
    """

    schema: str
    table: str

    def __post_init__(self) -> None:
        _require_short("Table", self.table)

    @property
    def identifier(self) -> sql.Identifier:
        """The table itself."""
        return sql.Identifier(self.schema, self.table)

    @property
    def quoted(self) -> str:
        """The same as text, for functions that take a name."""
        return self.identifier.as_string()

    def partition(self, month: Month) -> QualifiedName:
        """The partition of ``month``: ``green_trips_202401``."""
        return QualifiedName(self.schema, f"{self.table}_{month.year}{month.month:02d}")

    def incoming_prefix(self, month: Month | None) -> str:
        """How the names of the tables begin into which rows of ``month`` are copied.

        It does not contain the table's name, which may be as long as a name can be.
        """
        digest = hashlib.sha256(f"{self.table} {month or ''}".encode()).hexdigest()
        return f"incoming_{digest[:12]}_"


def check_names(table: Table, month: Month | None) -> None:
    """Raise ``Misconfigured`` for a name of the table, its partition or a column that is too long.

    To be called before anything is created.
    """
    name = QualifiedName("", table.name)
    if month is not None:
        name.partition(month)
    for column in table.column_names:
        _require_short(f"Column of table {table.name}", column)


def _require_short(what: str, name: str) -> None:
    if (size := len(name.encode())) > NAME_BYTES:
        raise Misconfigured(
            f"{what} {name} has a name of {size} bytes, and PostgreSQL permits {NAME_BYTES}.",
            "Use a shorter name: a table of months needs 7 bytes for those of its partitions.",
        )


def columns_of(connection: psycopg.Connection, name: QualifiedName) -> list[tuple[str, Type | str]]:
    """Names and canonical types of the existing columns, in order; empty without a table."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [name.quoted],
    )
    return [(str(name), _TYPES.get(str(type_), str(type_))) for name, type_ in rows.fetchall()]


def attached_partition(
    connection: psycopg.Connection, name: QualifiedName, month: Month
) -> QualifiedName | None:
    """The month's partition, if a table of that name is attached."""
    partition = name.partition(month)
    names = [partition.quoted, name.quoted]
    query = (
        "SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%s) AND inhparent = to_regclass(%s)"
    )
    return partition if connection.execute(query, names).fetchone() else None


def ensure_table(connection: psycopg.Connection, name: QualifiedName, table: Table) -> None:
    """Create the table or add missing columns; raises ``TableSchemaConflict``."""
    existing = columns_of(connection, name)
    if not existing:
        _create(connection, name, table)
        return
    _require_no_partition(connection, name)
    _check_partitions(connection, name, table)
    for column in added_columns(_without_geography(table), existing):
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(name.identifier, _definition(column))
        )
        _comment(connection, name, column)


def _without_geography(table: Table) -> Table:
    """The table as ``columns_of`` describes it."""
    columns = (
        replace(column, type=Type.STRING) if column.type is Type.GEOGRAPHY else column
        for column in table.columns
    )
    return replace(table, columns=tuple(columns))


def _require_no_partition(connection: psycopg.Connection, name: QualifiedName) -> None:
    row = connection.execute(
        "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = to_regclass(%s)",
        [name.quoted],
    ).fetchone()
    if row is not None:
        raise TableSchemaConflict(
            f"Table {name.schema}.{name.table} is a month of the table {row[0]}.",
            "Rename the asset.",
        )


def _create(connection: psycopg.Connection, name: QualifiedName, table: Table) -> None:
    ending = (
        sql.SQL(" PARTITION BY LIST ({})").format(_MONTH_COLUMN) if table.monthly else sql.SQL("")
    )
    connection.execute(
        sql.SQL("CREATE TABLE {} ({}){}").format(name.identifier, definitions(table), ending)
    )
    connection.execute(
        sql.SQL("COMMENT ON TABLE {} IS {}").format(name.identifier, sql.Literal(table.description))
    )
    for column in table.columns:
        _comment(connection, name, column)
    _create_index(connection, name, table)


def _create_index(connection: psycopg.Connection, name: QualifiedName, table: Table) -> None:
    """A BRIN index for ranges of the first column that orders the rows, if that is a time.

    It takes kilobytes, and partitions get it from their table.
    """
    times = {column.name for column in table.columns if column.type is Type.TIMESTAMP}
    if table.cluster_by and table.cluster_by[0] in times:
        connection.execute(
            sql.SQL("CREATE INDEX ON {} USING brin ({})").format(
                name.identifier, sql.Identifier(table.cluster_by[0])
            )
        )


def definitions(table: Table) -> sql.Composed:
    """The columns of ``table``, for CREATE TABLE."""
    return sql.SQL(", ").join(_definition(column) for column in table.columns)


def _definition(column: TableColumn) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(FIELD_TYPES[column.type]))


def _comment(connection: psycopg.Connection, name: QualifiedName, column: TableColumn) -> None:
    if column.description:
        identifier = sql.Identifier(name.schema, name.table, column.name)
        connection.execute(
            sql.SQL("COMMENT ON COLUMN {} IS {}").format(
                identifier, sql.Literal(column.description)
            )
        )


def _check_partitions(connection: psycopg.Connection, name: QualifiedName, table: Table) -> None:
    row = connection.execute("SELECT pg_get_partkeydef(to_regclass(%s))", [name.quoted]).fetchone()
    have = row[0] if row else None
    wanted = f"LIST ({SOURCE_MONTH})" if table.monthly else None
    if have != wanted:
        raise TableSchemaConflict(
            f"Table {name.schema}.{name.table} is partitioned by {have or 'nothing'}, but must "
            f"be partitioned by {wanted or 'nothing'}; PostgreSQL cannot change that.",
            "Rename or drop the table and load its months again.",
        )
