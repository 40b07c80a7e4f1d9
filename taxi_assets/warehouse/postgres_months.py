"""``loaded_months`` in PostgreSQL: one row per table and month, written in the swap's transaction.

Runs of different months write different rows and do not wait for each other. The row is written
before the partitions are swapped, so that readers wait only for the swaps.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from taxi_assets.datasets.month import Month
from taxi_assets.warehouse.base import Load, Loaded, LoadedMonth
from taxi_assets.warehouse.months import LOADED_MONTHS, records
from taxi_assets.warehouse.postgres_schema import QualifiedName, columns_of, ensure_table
from taxi_assets.warehouse.tables import SOURCE_MONTH

__all__ = [
    "ensure_months",
    "forget",
    "loaded",
    "loaded_months",
    "months_table",
    "origins",
    "record",
    "unrecorded_months",
]


def months_table(schema: str) -> QualifiedName:
    """The table ``loaded_months`` of that schema."""
    return QualifiedName(schema, LOADED_MONTHS.name)


def ensure_months(connection: psycopg.Connection, schema: str) -> None:
    """Create the table if it does not exist; the caller must hold its lock."""
    name = months_table(schema)
    is_new = not columns_of(connection, name)
    ensure_table(connection, name, LOADED_MONTHS)
    if is_new:
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (table_name, source_month)").format(
                name.identifier
            )
        )


def record(
    connection: psycopg.Connection,
    schema: str,
    loads: Sequence[Load],
    done: Sequence[Loaded],
    month: Month,
) -> None:
    """Replace the month's records by those of these loads."""
    names = [sql.Identifier(name) for name in LOADED_MONTHS.column_names]
    upsert = sql.SQL(
        "INSERT INTO {} ({}) VALUES (%s, %s, %s, %s, %s, %s) "
        "ON CONFLICT (table_name, source_month) DO UPDATE SET {}"
    ).format(
        months_table(schema).identifier,
        sql.SQL(", ").join(names),
        sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names[2:]),
    )
    for each in records(loads, done, month):
        connection.execute(upsert, each)


def forget(connection: psycopg.Connection, schema: str, table: str) -> None:
    """Delete all records of that table."""
    months = months_table(schema)
    if _is_monthly(connection, months):
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE table_name = %s").format(months.identifier), [table]
        )


def loaded(
    connection: psycopg.Connection, schema: str, table: str, month: Month
) -> LoadedMonth | None:
    """The month's record, if its row count matches the table; one statement, so one snapshot."""
    name, months = QualifiedName(schema, table), months_table(schema)
    if not (_is_monthly(connection, name) and _is_monthly(connection, months)):
        return None
    query = sql.SQL(
        "SELECT version, row_count FROM {} "
        "WHERE table_name = %(table)s AND source_month = %(month)s AND row_count = "
        "(SELECT count(*) FROM {} WHERE source_month = %(month)s)"
    ).format(months.identifier, name.identifier)
    row = connection.execute(query, {"table": table, "month": month.first_day}).fetchone()
    return LoadedMonth(*row) if row else None


def loaded_months(
    connection: psycopg.Connection, schema: str, table: str
) -> dict[Month, LoadedMonth]:
    """All records of that table."""
    months = months_table(schema)
    if not _is_monthly(connection, months):
        return {}
    query = sql.SQL("SELECT source_month, version, row_count FROM {} WHERE table_name = %s").format(
        months.identifier
    )
    rows = connection.execute(query, [table]).fetchall()
    return {Month.of(day): LoadedMonth(version, count) for day, version, count in rows}


def origins(connection: psycopg.Connection, schema: str) -> list[str | None]:
    """The origins in all records; none before an earlier release's table has the column."""
    months = months_table(schema)
    if "origin" not in dict(columns_of(connection, months)):
        return []
    query = sql.SQL("SELECT DISTINCT origin FROM {}").format(months.identifier)
    return [origin for (origin,) in connection.execute(query).fetchall()]


def unrecorded_months(connection: psycopg.Connection, schema: str, table: str) -> list[Month]:
    """Months with rows but no record; reads the partitions' bounds, and one row of each."""
    name = QualifiedName(schema, table)
    if not _is_monthly(connection, name):
        return []
    # LATERAL with LIMIT reads one row per partition; EXISTS could be planned as a join of all rows.
    query = sql.SQL(
        "SELECT month FROM (SELECT substring(pg_get_expr(relpartbound, oid) "
        "from '''([0-9-]+)''')::date AS month FROM pg_inherits JOIN pg_class ON oid = inhrelid "
        "WHERE inhparent = to_regclass(%s)) AS partitions "
        "CROSS JOIN LATERAL "
        "(SELECT 1 FROM {} WHERE source_month = partitions.month LIMIT 1) AS any_row"
    ).format(name.identifier)
    rows = connection.execute(query, [name.quoted]).fetchall()
    recorded = loaded_months(connection, schema, table)
    return sorted({Month.of(day) for (day,) in rows} - recorded.keys())


def _is_monthly(connection: psycopg.Connection, name: QualifiedName) -> bool:
    return SOURCE_MONTH in dict(columns_of(connection, name))
