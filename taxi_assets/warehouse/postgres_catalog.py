"""What a PostgreSQL schema and session are: tables, dropping one, the role and its time limits."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import sql

from taxi_assets.warehouse import postgres_months
from taxi_assets.warehouse.postgres_schema import QualifiedName

__all__ = ["TIME_LIMITS", "drop", "session", "tables"]

TIME_LIMITS: Final = (
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",  # since PostgreSQL 17
)
"""Each ends a session that takes longer; ``postgres_connection`` sets its own."""


def tables(connection: psycopg.Connection, schema: str, prefix: str) -> list[str]:
    """The schema's tables that start with ``prefix``, in order; no partitions."""
    rows = connection.execute(
        "SELECT relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace "
        "WHERE nspname = %s AND relkind IN ('r', 'p') AND NOT relispartition "
        "AND starts_with(relname, %s) ORDER BY relname",
        [schema, prefix],
    )
    return [str(name) for (name,) in rows.fetchall()]


def drop(connection: psycopg.Connection, schema: str, table: str) -> None:
    """Drop the table with its partitions, if it exists, and its records."""
    name = QualifiedName(schema, table)
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name.identifier))
    postgres_months.forget(connection, schema, table)


def session(connection: psycopg.Connection, schema: str) -> dict[str, str]:
    """``user``, ``database``, ``schema``, ``version``, and the ``TIME_LIMITS`` in force.

    A limit has PostgreSQL's unit, such as ``60000ms``; 0 is none, as is one that the server lacks.
    """
    limits = ", ".join(f"current_setting('{name}', true)" for name in TIME_LIMITS)
    row = connection.execute(
        f"SELECT current_user, current_database(), current_setting('server_version'), {limits}"
    ).fetchone()
    assert row is not None
    user, database, version, *values = row
    found = {name: value or "0" for name, value in zip(TIME_LIMITS, values, strict=True)}
    return {"user": user, "database": database, "schema": schema, "version": version, **found}
