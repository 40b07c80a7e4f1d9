"""Transactions of PostgreSQL that need a moment alone with a table: tried until there is one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from psycopg import errors, sql

from taxi_assets.errors import StoreUnavailable
from taxi_assets.warehouse.postgres_connection import Connection, Limits, transaction
from taxi_assets.wording import listed

__all__ = ["CHANGING", "tried_often"]

_TRY_SECONDS = 50.0  # all tries of one transaction
_PAUSE_SECONDS = 1.0  # between two of them, for the readers that wait behind it

# If this process stops between two statements, readers wait until the server ends the session.
CHANGING: Final = Limits(lock="2s", statement="50s", idle="5s")

_SESSIONS = """
SELECT coalesce('process ' || pid || ' (' || concat_ws(', ',
    'user ' || usename, nullif(application_name, ''), state,
    'since ' || to_char(coalesce(xact_start, query_start), 'YYYY-MM-DD HH24:MI:SS TZ')) || ')',
    'a prepared transaction')
FROM (
    SELECT DISTINCT pid FROM pg_locks
    WHERE granted AND pid IS DISTINCT FROM pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND relation = ANY(SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)
) AS holders LEFT JOIN pg_stat_activity USING (pid) ORDER BY xact_start
"""


def tried_often(
    connection: Connection,
    doing: str,
    tables: Sequence[str],
    limits: Limits,
    attempt: Callable[[str], None],
) -> None:
    """Call ``attempt`` with the schema in a transaction, until it gets its locks.

    Raises ``StoreUnavailable`` after a minute, with ``doing`` and the sessions that use ``tables``.
    """
    started = time.monotonic()
    while True:
        try:
            with transaction(connection, limits) as schema:
                attempt(schema)
            return
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            waited = time.monotonic() - started
            if waited > _TRY_SECONDS:
                raise StoreUnavailable(
                    f"{doing} waited {waited:.0f} seconds for a moment without other sessions: "
                    f"{_sessions(connection, tables)}.",
                    "Let them end their transactions, or end them with SELECT "
                    "pg_terminate_backend(process). Rows that were copied are kept for the next "
                    "attempt.",
                ) from error
        time.sleep(_PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret


def _sessions(connection: Connection, tables: Sequence[str]) -> str:
    with transaction(connection, CHANGING) as schema:
        names = [sql.Identifier(schema, table).as_string(connection) for table in tables]
        found = [str(row[0]) for row in connection.execute(_SESSIONS, [names]).fetchall()]
    return listed(found) or "none is left"
