"""What keeps a month's partition in PostgreSQL from being replaced: its owner, its dependents."""

from __future__ import annotations

import psycopg

from taxi_assets.datasets.month import Month
from taxi_assets.errors import Misconfigured, TableSchemaConflict
from taxi_assets.warehouse.postgres_schema import QualifiedName, attached_partition
from taxi_assets.warehouse.tables import SOURCE_MONTH
from taxi_assets.wording import listed

__all__ = ["require_replaceable"]

_OTHER_OWNER = """
SELECT relname, quote_ident(pg_get_userbyid(relowner)), quote_ident(current_user) FROM pg_class
WHERE oid = ANY(%s::regclass[]) AND NOT pg_has_role(relowner, 'USAGE')
ORDER BY relkind = 'p' DESC
"""
# What DROP TABLE refuses to drop (views and so on), and what it drops without a word.
_LOST = """
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend, pg_class
WHERE pg_class.oid = %(table)s::regclass AND deptype = 'n' AND (refclassid, refobjid)
IN (('pg_class'::regclass, pg_class.oid), ('pg_type'::regclass, reltype)) AND NOT EXISTS (
    SELECT FROM pg_constraint WHERE classid = 'pg_constraint'::regclass AND oid = objid
    AND conrelid = %(table)s::regclass)
UNION SELECT 'row-level security' FROM pg_class
WHERE oid = %(table)s::regclass AND relrowsecurity
UNION SELECT pg_describe_object('pg_trigger'::regclass, oid, 0) FROM pg_trigger
WHERE tgrelid = %(table)s::regclass AND NOT tgisinternal AND tgparentid = 0
UNION SELECT pg_describe_object('pg_policy'::regclass, oid, 0) FROM pg_policy
WHERE polrelid = %(table)s::regclass
UNION SELECT pg_describe_object('pg_statistic_ext'::regclass, oid, 0) FROM pg_statistic_ext
WHERE stxrelid = %(table)s::regclass
UNION SELECT pg_describe_object('pg_publication_rel'::regclass, oid, 0) FROM pg_publication_rel
WHERE prrelid = %(table)s::regclass ORDER BY 1
"""


def require_replaceable(connection: psycopg.Connection, name: QualifiedName, month: Month) -> None:
    """Find out before the copy that the month's partition could not be replaced.

    Raises ``Misconfigured`` for a table of another owner, and ``TableSchemaConflict`` for objects
    that depend on the partition.
    """
    partition = attached_partition(connection, name, month)
    tables = [each.quoted for each in (name, partition) if each is not None]
    owner = connection.execute(_OTHER_OWNER, [tables]).fetchone()
    if owner is not None:
        raise Misconfigured(
            f"Table {owner[0]} is owned by the role {owner[1]}, and {owner[2]} is not a member of "
            "it.",
            "Only its owner can replace a month: change the owner of the table and of its "
            f"partitions (ALTER TABLE {owner[0]} OWNER TO …) to {owner[2]}, or to a role of which "
            "it is a member.",
        )
    if partition is None:
        return
    found = connection.execute(_LOST, {"table": partition.quoted}).fetchall()
    if found:
        raise TableSchemaConflict(
            f"Loading {name.table} {month} would replace the partition {partition.table}, and "
            f"these depend on it: {listed([str(each) for (each,) in found])}.",
            f"Define them on {name.table}, with WHERE {SOURCE_MONTH} = DATE '{month.first_day}' "
            "for the month alone, and drop them here.",
        )
