"""PostgreSQL tables: one partition per month, swapped in whole.

Belongs here: DDL: creating and evolving a table, a month's partition and its swap. Does not:
rows (``postgres_copy``), connections and transactions (``postgres``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.errors import TableSchemaConflict
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table, TableColumn, added_columns

FIELD_TYPES: dict[Type, LiteralString] = {
    Type.INTEGER: "bigint",
    Type.FLOAT: "double precision",
    Type.STRING: "text",
    Type.TIMESTAMP: "timestamp without time zone",
    Type.DATE: "date",
    Type.BOOLEAN: "boolean",
}
_TYPES: dict[str, Type] = {name: type_ for type_, name in FIELD_TYPES.items()}
_MONTH_COLUMN = sql.Identifier(SOURCE_MONTH)
_ONE_MONTH = sql.Identifier("one_month")


@dataclass(frozen=True, slots=True)
class Place:
    """A table's name in its schema, and the names of its months' partitions."""

    schema: str
    table: str

    @property
    def identifier(self) -> sql.Identifier:
        """The table itself."""
        return sql.Identifier(self.schema, self.table)

    def partition(self, month: Month) -> Place:
        """The partition of ``month``: ``green_trips_202401``."""
        return Place(self.schema, f"{self.table}_{month.year}{month.month:02d}")

    @property
    def incoming(self) -> Place:
        """Where a partition is made before it takes its place; seen by its own transaction only."""
        return Place(self.schema, f"{self.table}_incoming")


def columns_of(connection: psycopg.Connection, place: Place) -> list[tuple[str, Type | str]]:
    """Names and canonical types of the table as it is, in order; empty when there is none."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [place.identifier.as_string(connection)],
    )
    return [(str(name), _TYPES.get(str(type_), str(type_))) for name, type_ in rows.fetchall()]


def ensure_table(connection: psycopg.Connection, place: Place, table: Table) -> None:
    """Create the table or add the columns it lacks; raises ``TableSchemaConflict``."""
    existing = columns_of(connection, place)
    if not existing:
        _create(connection, place, table)
        return
    _check_partitions(connection, place, table)
    for column in added_columns(table, existing):
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(place.identifier, _definition(column))
        )
        _comment(connection, place, column)


def create_incoming(
    connection: psycopg.Connection, place: Place, table: Table, month: Month
) -> Place:
    """An empty table beside the partitioned one, that takes rows of ``month`` only.

    Its CHECK says what the partition's bound will say, so that attaching scans nothing. Its
    columns are spelled out: LIKE would lock the table while the rows come in, and two months
    swapped at once would each wait for the other's lock.
    """
    incoming = place.partition(month).incoming
    connection.execute(
        sql.SQL("CREATE TABLE {} ({}, CONSTRAINT {} CHECK ({} IS NOT NULL AND {} = {}))").format(
            incoming.identifier,
            _definitions(table),
            _ONE_MONTH,
            _MONTH_COLUMN,
            _MONTH_COLUMN,
            sql.Literal(month.first_day),
        )
    )
    return incoming


def swap_in(connection: psycopg.Connection, place: Place, month: Month) -> None:
    """Put the incoming table in the place of the month's partition.

    Waits for readers of the table, and holds new ones back, only until the commit that follows.
    """
    partition = place.partition(month)
    if _is_partition(connection, partition, place):  # a table that only has that name stays
        connection.execute(sql.SQL("DROP TABLE {}").format(partition.identifier))
    connection.execute(
        sql.SQL("ALTER TABLE {} RENAME TO {}").format(
            partition.incoming.identifier, sql.Identifier(partition.table)
        )
    )
    connection.execute(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
            place.identifier, partition.identifier, sql.Literal(month.first_day)
        )
    )
    connection.execute(
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(partition.identifier, _ONE_MONTH)
    )


def _is_partition(connection: psycopg.Connection, partition: Place, place: Place) -> bool:
    names = [each.identifier.as_string(connection) for each in (partition, place)]
    query = (
        "SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%s) AND inhparent = to_regclass(%s)"
    )
    return connection.execute(query, names).fetchone() is not None


def _create(connection: psycopg.Connection, place: Place, table: Table) -> None:
    ending = (
        sql.SQL(" PARTITION BY LIST ({})").format(_MONTH_COLUMN) if table.monthly else sql.SQL("")
    )
    connection.execute(
        sql.SQL("CREATE TABLE {} ({}){}").format(place.identifier, _definitions(table), ending)
    )
    connection.execute(
        sql.SQL("COMMENT ON TABLE {} IS {}").format(
            place.identifier, sql.Literal(table.description)
        )
    )
    for column in table.columns:
        _comment(connection, place, column)


def _definitions(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(_definition(column) for column in table.columns)


def _definition(column: TableColumn) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(FIELD_TYPES[column.type]))


def _comment(connection: psycopg.Connection, place: Place, column: TableColumn) -> None:
    if column.description:
        name = sql.Identifier(place.schema, place.table, column.name)
        connection.execute(
            sql.SQL("COMMENT ON COLUMN {} IS {}").format(name, sql.Literal(column.description))
        )


def _check_partitions(connection: psycopg.Connection, place: Place, table: Table) -> None:
    row = connection.execute(
        "SELECT pg_get_partkeydef(to_regclass(%s))", [place.identifier.as_string(connection)]
    ).fetchone()
    have = row[0] if row else None
    wanted = f"LIST ({SOURCE_MONTH})" if table.monthly else None
    if have != wanted:
        raise TableSchemaConflict(
            f"Table {place.schema}.{place.table} is partitioned by {have or 'nothing'}, wanted "
            f"{wanted or 'nothing'}; PostgreSQL cannot change that.",
            "Rename or drop the table and load its months again.",
        )
