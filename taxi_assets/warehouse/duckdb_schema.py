"""Create DuckDB tables and add columns, in the load's transaction; SQL helpers for DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table, added_columns

__all__ = ["FIELD_TYPES", "columns_of", "ensure_table", "month_filter", "quoted"]

FIELD_TYPES: dict[Type, str] = {
    Type.INTEGER: "BIGINT",
    Type.FLOAT: "DOUBLE",
    Type.STRING: "VARCHAR",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.DATE: "DATE",
    Type.BOOLEAN: "BOOLEAN",
    Type.GEOGRAPHY: "GEOMETRY",  # in DuckDB itself since 1.5; functions on it are in ``spatial``
}
_CANONICAL = {sql: type_ for type_, sql in FIELD_TYPES.items()}


def ensure_table(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Create the table or add missing columns; raises ``TableSchemaConflict``."""
    existing = columns_of(connection, table.name)
    name = quoted(table.name)
    if not existing:
        columns = ", ".join(
            f"{quoted(column.name)} {FIELD_TYPES[column.type]}" for column in table.columns
        )
        connection.execute(f"CREATE TABLE {name} ({columns})")
        connection.execute(f"COMMENT ON TABLE {name} IS {_literal(table.description)}")
    added = added_columns(table, existing)
    for column in added if existing else ():
        connection.execute(
            f"ALTER TABLE {name} ADD COLUMN {quoted(column.name)} {FIELD_TYPES[column.type]}"
        )
    for column in added:
        comment = _literal(column.description)
        connection.execute(f"COMMENT ON COLUMN {name}.{quoted(column.name)} IS {comment}")


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, Type | str]]:
    """Names and canonical types of the existing columns, in order; empty without a table."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_name = ? AND table_schema = 'main' ORDER BY ordinal_position",
        [table],
    ).fetchall()
    return [(name, _CANONICAL.get(sql_type, sql_type)) for name, sql_type in rows]


def month_filter(months: Sequence[Month] | None) -> tuple[str, list[object]]:
    """A WHERE clause for ``months`` (``None``: all), and its parameters."""
    if months is None:
        return "", []
    if not months:
        return " WHERE false", []
    marks = ", ".join("?" for _ in months)
    return f" WHERE {SOURCE_MONTH} IN ({marks})", [month.first_day for month in months]


def quoted(name: str) -> str:
    """The name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
