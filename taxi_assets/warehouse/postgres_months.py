"""The table of months in PostgreSQL: a row a month, written in the transaction of the swap.

Runs of different months write different rows, so none waits for another, and the row is written
before the partitions are swapped, so that readers wait for the swaps alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from taxi_assets.datasets.month import Month
from taxi_assets.warehouse.base import Load, Loaded, LoadedMonth
from taxi_assets.warehouse.months import LOADED_MONTHS, records
from taxi_assets.warehouse.postgres_schema import Place, columns_of, ensure_table
from taxi_assets.warehouse.tables import SOURCE_MONTH

__all__ = [
    "ensure_months",
    "loaded",
    "loaded_months",
    "place_of_months",
    "record",
    "unrecorded_months",
]


def place_of_months(schema: str) -> Place:
    """Where the table lies."""
    return Place(schema, LOADED_MONTHS.name)


def ensure_months(connection: psycopg.Connection, schema: str) -> None:
    """Make the table if it is missing; the caller keeps others from doing so at once."""
    place = place_of_months(schema)
    is_new = not columns_of(connection, place)
    ensure_table(connection, place, LOADED_MONTHS)
    if is_new:
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (table_name, source_month)").format(
                place.identifier
            )
        )


def record(
    connection: psycopg.Connection,
    schema: str,
    loads: Sequence[Load],
    done: Sequence[Loaded],
    month: Month,
) -> None:
    """Write what these loads made of the month in the place of what was there."""
    names = [sql.Identifier(name) for name in LOADED_MONTHS.column_names]
    upsert = sql.SQL(
        "INSERT INTO {} ({}) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (table_name, source_month) DO UPDATE SET {}"
    ).format(
        place_of_months(schema).identifier,
        sql.SQL(", ").join(names),
        sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names[2:]),
    )
    for each in records(loads, done, month):
        connection.execute(upsert, each)


def loaded(
    connection: psycopg.Connection, schema: str, table: str, month: Month
) -> LoadedMonth | None:
    """The month's record, if there are as many rows as it says; one statement, one snapshot."""
    place, months = Place(schema, table), place_of_months(schema)
    if not (_is_monthly(connection, place) and _is_monthly(connection, months)):
        return None
    query = sql.SQL(
        "SELECT version, row_count FROM {} "
        "WHERE table_name = %(table)s AND source_month = %(month)s AND row_count = "
        "(SELECT count(*) FROM {} WHERE source_month = %(month)s)"
    ).format(months.identifier, place.identifier)
    row = connection.execute(query, {"table": table, "month": month.first_day}).fetchone()
    return LoadedMonth(*row) if row else None


def loaded_months(
    connection: psycopg.Connection, schema: str, table: str
) -> dict[Month, LoadedMonth]:
    """All records of that table."""
    months = place_of_months(schema)
    if not _is_monthly(connection, months):
        return {}
    query = sql.SQL("SELECT source_month, version, row_count FROM {} WHERE table_name = %s").format(
        months.identifier
    )
    rows = connection.execute(query, [table]).fetchall()
    return {Month.of(day): LoadedMonth(version, count) for day, version, count in rows}


def unrecorded_months(connection: psycopg.Connection, schema: str, table: str) -> list[Month]:
    """Months with rows and no record; reads the partitions' bounds, and a row of each."""
    place = Place(schema, table)
    if not _is_monthly(connection, place):
        return []
    # LATERAL with LIMIT is a row of one partition each; EXISTS could become a join of them all.
    query = sql.SQL(
        "SELECT month FROM (SELECT substring(pg_get_expr(relpartbound, oid) "
        "from '''([0-9-]+)''')::date AS month FROM pg_inherits JOIN pg_class ON oid = inhrelid "
        "WHERE inhparent = to_regclass(%s)) AS partitions "
        "CROSS JOIN LATERAL "
        "(SELECT 1 FROM {} WHERE source_month = partitions.month LIMIT 1) AS any_row"
    ).format(place.identifier)
    rows = connection.execute(query, [place.identifier.as_string(connection)]).fetchall()
    recorded = loaded_months(connection, schema, table)
    return sorted({Month.of(day) for (day,) in rows} - recorded.keys())


def _is_monthly(connection: psycopg.Connection, place: Place) -> bool:
    return SOURCE_MONTH in dict(columns_of(connection, place))
