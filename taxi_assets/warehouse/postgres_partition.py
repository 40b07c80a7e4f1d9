"""DDL for PostgreSQL: what a month's rows are loaded into, and how they replace a partition.

The rows are copied into an *incoming* table that readers do not see. It gets everything that
attaching it would otherwise build while readers wait, and the old partition's grants and comment.
"""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg import sql

from taxi_assets.datasets.month import Month
from taxi_assets.warehouse.postgres_schema import (
    NAME_BYTES,
    QualifiedName,
    attached_partition,
    definitions,
)
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table

__all__ = [
    "create_incoming",
    "like_partition",
    "lock_out_vacuum",
    "swap_in",
]

_MONTH_COLUMN = sql.Identifier(SOURCE_MONTH)
_ONE_MONTH: Final = "one_month"
_SUFFIX = re.compile(r"_\d{6}_[0-9a-f]{8}$")  # of an index that an earlier load made

# Of the table and of the month's partition, without what the partition has from the table.
_INDEXES = """
SELECT relname, CASE WHEN indisunique THEN 'UNIQUE ' ELSE '' END, substring(
    pg_get_indexdef(indexrelid) from strpos(pg_get_indexdef(indexrelid), ' USING ' || amname))
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
WHERE indrelid = ANY(%s::regclass[])
AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid)
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p','u','x'))
"""
_CONSTRAINTS = """
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('c', 'f', 'p', 'u', 'x')
AND coninhcount = 0 AND conparentid = 0 ORDER BY contype = 'f', conname
"""
_NOT_NULL = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnotnull AND attnum > 0
"""
_OWNER = """
SELECT pg_get_userbyid(relowner) FROM pg_class
WHERE oid = %s::regclass AND pg_get_userbyid(relowner) <> current_user
"""
_GRANTS = """
SELECT format('GRANT %%s%%s ON TABLE %%s TO %%s%%s', privilege_type, columns, %(target)s::text,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM (
    SELECT relowner, '' AS columns, relacl AS acl FROM pg_class WHERE oid = %(table)s::regclass
    UNION ALL SELECT relowner, format(' (%%I)', attname), attacl
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE attrelid = %(table)s::regclass
) AS lists CROSS JOIN LATERAL aclexplode(acl) WHERE grantee <> relowner
"""


def create_incoming(
    connection: psycopg.Connection,
    incoming: QualifiedName,
    name: QualifiedName,
    table: Table,
    month: Month | None,
) -> None:
    """Create an empty table for the rows of ``month`` (``None``: of the whole table).

    Its CHECK is the same as the partition's bound, so that attaching scans no rows. Its columns are
    listed, because LIKE would lock the table during the load.
    """
    check: sql.Composable = sql.SQL("")
    if month is not None:
        check = sql.SQL(", CONSTRAINT {} CHECK ({column} IS NOT NULL AND {column} = {day})").format(
            sql.Identifier(_ONE_MONTH), column=_MONTH_COLUMN, day=sql.Literal(month.first_day)
        )
    connection.execute(
        sql.SQL("CREATE TABLE {} ({}{})").format(incoming.identifier, definitions(table), check)
    )
    owner = connection.execute(_OWNER, [name.quoted]).fetchone()
    # A partition's owner may be a role that several loading roles are members of.
    if month is not None and owner is not None:
        connection.execute(
            sql.SQL("ALTER TABLE {} OWNER TO {}").format(
                incoming.identifier, sql.Identifier(owner[0])
            )
        )


def like_partition(
    connection: psycopg.Connection, incoming: QualifiedName, name: QualifiedName, month: Month
) -> None:
    """Give the incoming table the indexes and constraints that the month's partition must have.

    Attaching then finds them there, and builds and checks nothing. Those that users made for the
    partition alone are kept too.
    """
    like = [name.quoted]
    if (partition := attached_partition(connection, name, month)) is not None:
        like.append(partition.quoted)
    at = incoming.identifier
    for row in connection.execute(_NOT_NULL, like[:1]).fetchall():
        connection.execute(
            sql.SQL("ALTER TABLE {} ALTER {} SET NOT NULL").format(at, sql.Identifier(row[0]))
        )
    here = [incoming.quoted]
    suffix = f"_{month.year}{month.month:02d}_{incoming.table[-8:]}"
    for index, unique, definition in _missing(connection, _INDEXES, like, here):
        called = sql.Identifier(_suffixed(index, suffix)).as_string(connection)
        connection.execute(f"CREATE {unique}INDEX {called} ON {here[0]}{definition}".encode())
    for constraint, kind, definition in _missing(connection, _CONSTRAINTS, like, here):
        # The constraints of indexes are named as these, uniquely in the schema.
        called = constraint if kind in "cf" else _suffixed(constraint, suffix)
        quoted = sql.Identifier(called).as_string(connection)
        connection.execute(f"ALTER TABLE {here[0]} ADD CONSTRAINT {quoted} {definition}".encode())


def _missing(
    connection: psycopg.Connection, query: str, like: list[str], here: list[str]
) -> list[tuple[str, str, str]]:
    """Rows whose last column, the definition, is among ``like`` and not ``here``; each once."""
    have, wanted = (
        {(row[1], row[2]): row for row in connection.execute(query.encode(), [names]).fetchall()}
        for names in (here, like)
    )
    return [row for key, row in wanted.items() if key not in have]


def _suffixed(name: str, suffix: str) -> str:
    stem = _SUFFIX.sub("", name).encode()[: NAME_BYTES - len(suffix)]
    return stem.decode(errors="ignore") + suffix


def lock_out_vacuum(
    connection: psycopg.Connection,
    incoming: QualifiedName,
    name: QualifiedName,
    month: Month | None,
) -> None:
    """End an autovacuum of the two tables that a swap changes, before it makes readers wait.

    The server cancels one that another session has waited for during ``deadlock_timeout``.
    """
    connection.execute(
        sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(incoming.identifier)
    )
    if month is not None and (partition := attached_partition(connection, name, month)) is not None:
        connection.execute(
            sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(partition.identifier)
        )


def swap_in(
    connection: psycopg.Connection, incoming: QualifiedName, name: QualifiedName, month: Month
) -> None:
    """Replace the month's partition by the incoming table; the caller has locked ``name``."""
    old = attached_partition(connection, name, month)
    partition = name.partition(month)
    inherited: list[bytes] = []
    comment = None
    if old is not None:  # never drop another table of that name
        texts = {"table": old.quoted, "target": partition.quoted}
        inherited = [row[0].encode() for row in connection.execute(_GRANTS, texts).fetchall()]
        comment = _comment(connection, old)
        connection.execute(sql.SQL("DROP TABLE {}").format(old.identifier))
    for statement in (
        sql.SQL("ALTER TABLE {incoming} RENAME TO {renamed}"),
        sql.SQL("ALTER TABLE {name} ATTACH PARTITION {partition} FOR VALUES IN ({day})"),
        sql.SQL("ALTER TABLE {partition} DROP CONSTRAINT {one_month}"),
        sql.SQL("COMMENT ON TABLE {partition} IS {comment}"),
    ):
        connection.execute(
            statement.format(
                incoming=incoming.identifier,
                renamed=sql.Identifier(partition.table),
                name=name.identifier,
                partition=partition.identifier,
                day=sql.Literal(month.first_day),
                one_month=sql.Identifier(_ONE_MONTH),
                comment=sql.Literal(comment),
            )
        )
    for grant in inherited:
        connection.execute(grant)


def _comment(connection: psycopg.Connection, name: QualifiedName) -> str | None:
    query = "SELECT obj_description(%s::regclass, 'pg_class')"
    row = connection.execute(query, [name.quoted]).fetchone()
    return row[0] if row else None
