"""Load a month into PostgreSQL: copy the rows into tables of their own, then swap them in.

The copy holds no lock that anybody waits for. The swap is a short transaction that is tried again
and again, because it needs a moment without a reader.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import psycopg
from psycopg import errors, sql

from taxi_assets.datasets.month import Month
from taxi_assets.warehouse import postgres_months
from taxi_assets.warehouse.base import Load, Loaded
from taxi_assets.warehouse.postgres_connection import WORKING, Connection, Limits, transaction
from taxi_assets.warehouse.postgres_copy import copy_in
from taxi_assets.warehouse.postgres_partition import (
    create_incoming,
    like_partition,
    lock_out_vacuum,
    swap_in,
)
from taxi_assets.warehouse.postgres_replaceable import require_replaceable
from taxi_assets.warehouse.postgres_schema import QualifiedName, columns_of, ensure_table
from taxi_assets.warehouse.postgres_tries import CHANGING, tried_often

__all__ = ["replace_all"]

_REPLACING: Final = Limits(lock="2s", idle="5s")  # a whole table's rows are inserted again
# For a lock while others are held. Below deadlock_timeout (1 s), so that this transaction gives up
# before the server ends a reader that has locked the tables in another order.
_NEXT_LOCK = "500ms"

# The tables that loads of the month have left and that this role may drop, and their marks.
_LEFT = """
SELECT relname, obj_description(pg_class.oid, 'pg_class') FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = %s AND starts_with(relname, %s) AND relkind = 'r'
AND pg_has_role(relowner, 'USAGE')
"""


@dataclass(frozen=True, slots=True)
class _Copied:
    load: Load
    name: QualifiedName
    incoming: QualifiedName
    loaded: Loaded


def replace_all(
    connection: Connection, doing: str, loads: Sequence[Load], month: Month | None
) -> list[Loaded]:
    """Replace the rows of ``month`` in all tables, by swaps in one transaction.

    ``doing`` begins the message of ``StoreUnavailable``, which names the sessions that the swap
    waited for. The copied rows are then kept, and used by the next load of the same version.
    """
    often = partial(tried_often, connection, doing, _used_tables(loads, month))
    for load in loads:  # each in its own transaction, which holds no lock while it waits for one
        often(CHANGING, partial(_prepare, connection, load, month))
    if month is not None:
        often(CHANGING, partial(_prepare_months, connection))
    copied = [_copy(connection, load, month) for load in loads]
    # Both orders in turn: readers of several tables get along with the load in any order of theirs.
    orders = itertools.cycle((copied, copied[::-1]))
    try:
        often(
            _REPLACING if month is None else CHANGING,
            lambda schema: _swap(connection, schema, copied, next(orders), month),
        )
    except psycopg.Error:
        with suppress(psycopg.Error), transaction(connection, CHANGING):
            for each in copied:
                _drop(connection, each.incoming)
        raise
    return [each.loaded for each in copied]


def _used_tables(loads: Sequence[Load], month: Month | None) -> list[str]:
    names = [QualifiedName("", load.table.name) for load in loads]
    if month is not None:
        names += [name.partition(month) for name in names]
        names.append(postgres_months.months_table(""))
    return [name.table for name in names]


def _prepare(connection: Connection, load: Load, month: Month | None, schema: str) -> None:
    """Create the table, or columns that it lacks."""
    name = QualifiedName(schema, load.table.name)
    _lock(connection, name)
    ensure_table(connection, name, load.table)
    if month is not None:
        require_replaceable(connection, name, month)


def _prepare_months(connection: Connection, schema: str) -> None:
    _lock(connection, postgres_months.months_table(schema))
    postgres_months.ensure_months(connection, schema)


def _copy(connection: Connection, load: Load, month: Month | None) -> _Copied:
    """The rows in a table of their own, complete and committed."""
    started = time.monotonic()
    incoming = _kept(connection, load, month)
    with transaction(connection, WORKING) as schema:
        name = QualifiedName(schema, load.table.name)
        if incoming is None:
            token = secrets.token_hex(4)
            incoming = QualifiedName(schema, name.incoming_prefix(month) + token)
            _claim(connection, incoming)
            create_incoming(connection, incoming, name, load.table, month)
            connection.execute(
                sql.SQL("COMMENT ON TABLE {} IS {}").format(
                    incoming.identifier, sql.Literal(_mark(load, month))
                )
            )
            rows = copy_in(connection, incoming, load.source.path(), load.table.arrow_schema)
        else:
            count = sql.SQL("SELECT count(*) FROM {}").format(incoming.identifier)
            row = connection.execute(count).fetchone()
            rows = int(row[0]) if row else 0
        if month is not None:
            like_partition(connection, incoming, name, month)
            connection.execute(sql.SQL("ANALYZE {}").format(incoming.identifier))
    loaded = Loaded(rows, time.monotonic() - started, {"schema": schema})
    return _Copied(load, name, incoming, loaded)


def _kept(connection: Connection, load: Load, month: Month | None) -> QualifiedName | None:
    """Rows of the same version that an interrupted load has copied; other such tables are dropped.

    A table of a load that is still running is claimed by it.
    """
    kept = None
    with transaction(connection, CHANGING) as schema:
        prefix = QualifiedName(schema, load.table.name).incoming_prefix(month)
        for table, mark in connection.execute(_LEFT, [schema, prefix]).fetchall():
            incoming = QualifiedName(schema, table)
            if not _claim(connection, incoming):
                continue
            columns = [(column.name, column.type) for column in load.table.columns]
            is_same = load.version is not None and mark == _mark(load, month)
            if kept is None and is_same and columns_of(connection, incoming) == columns:
                kept = incoming
            else:
                with suppress(errors.LockNotAvailable), connection.transaction():
                    _drop(connection, incoming)  # unless somebody reads it: the next load does it
    return kept


def _swap(
    connection: Connection,
    schema: str,
    copied: Sequence[_Copied],
    in_order: Sequence[_Copied],
    month: Month | None,
) -> None:
    if month is not None:
        loads, loaded = [each.load for each in copied], [each.loaded for each in copied]
        postgres_months.record(connection, schema, loads, loaded, month)
    for each in copied:
        lock_out_vacuum(connection, each.incoming, each.name, month)
    mode = sql.SQL("SHARE ROW EXCLUSIVE" if month is None else "ACCESS EXCLUSIVE")
    for each in in_order:
        connection.execute(
            sql.SQL("LOCK TABLE ONLY {} IN {} MODE").format(each.name.identifier, mode)
        )
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [_NEXT_LOCK])
    for each in copied:
        if month is None:
            _replace_rows(connection, each)
        else:
            swap_in(connection, each.incoming, each.name, month)


def _replace_rows(connection: Connection, copied: _Copied) -> None:
    """Replace all rows of a table; readers are not blocked, as they would be by TRUNCATE."""
    columns = sql.SQL(", ").join(map(sql.Identifier, copied.load.table.column_names))
    for statement in (
        sql.SQL("DELETE FROM {name}"),
        sql.SQL("INSERT INTO {name} ({columns}) SELECT {columns} FROM {incoming}"),
        sql.SQL("DROP TABLE {incoming}"),
        sql.SQL("ANALYZE {name}"),
    ):
        connection.execute(
            statement.format(
                name=copied.name.identifier, columns=columns, incoming=copied.incoming.identifier
            )
        )


def _lock(connection: Connection, name: QualifiedName) -> None:
    """Take the lock for changes of a table; it is released with the transaction."""
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{name.schema}.{name.table}"]
    )


def _claim(connection: Connection, incoming: QualifiedName) -> bool:
    """Mark the table as that of this session, until it ends; ``False`` if it is another's."""
    row = connection.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))",
        [f"{incoming.schema}.{incoming.table}"],
    ).fetchone()
    return row is not None and bool(row[0])


def _drop(connection: Connection, incoming: QualifiedName) -> None:
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(incoming.identifier))


def _mark(load: Load, month: Month | None) -> str:
    return (
        f"Rows of {load.table.name}{f' {month}' if month else ''}, version {load.version}, to be "
        "swapped in. If no load is running, an interrupted one left them, and the next load of "
        "that month uses or drops them."
    )
