"""Error rules for PostgreSQL, see :mod:`taxi_assets.services`.

Codes are SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html) or their
classes, the first two characters.
"""

from __future__ import annotations

import psycopg

from taxi_assets.errors import AuditFailed, StoreUnavailable, TableSchemaConflict, UncastableValue
from taxi_assets.services import ErrorDetails, Rule, Service, transient

__all__ = ["POSTGRES"]

_NOT_CONNECTED = "not connected"  # a failed or lost connection has no SQLSTATE in libpq
_LOGIN_REJECTED = (
    r'.*(FATAL: +\w+ authentication failed for user ".*"|FATAL: +no pg_hba\.conf entry for .*'
    r'|FATAL: +(role|database) ".*" does not exist|fe_sendauth: no password supplied'
    r'|root certificate file ".*" does not exist)'
)
_CHECK = (
    "The role needs CONNECT on the database and USAGE and CREATE on the schema. Check role, "
    "password and database in TAXI_WAREHOUSE_URL."
)
_OWN = (
    "Only its owner can change a table: let the role of TAXI_WAREHOUSE_URL own it "
    "(ALTER TABLE … OWNER TO …), or make that role a member of the owner."
)
_NOT_OWNER = "must be (owner of|member of role|able to SET ROLE) .*"
# A catalog's row was changed by another session at the same time, as by GRANT or ANALYZE.
_AT_ONCE = (
    "tuple concurrently (updated|deleted)|cache lookup failed for .*"
    "|could not open relation with OID .*"
)


def _details(error: Exception) -> ErrorDetails:
    message = str(error).strip().partition("\n")[0] or type(error).__name__
    state = getattr(error, "sqlstate", None)
    if state:
        return ErrorDetails(message, {state, state[:2]})
    if isinstance(error, psycopg.OperationalError):
        return ErrorDetails(message, {_NOT_CONNECTED})
    return ErrorDetails(message)


_RULES = (
    Rule({"42501"}, _OWN, pattern=_NOT_OWNER),
    Rule(
        {"25006"},
        "It is a standby, or its transactions are read-only by default: connect to the primary, as "
        "with target_session_attrs=read-write in TAXI_WAREHOUSE_URL.",
    ),
    Rule({"28", "3D", "3F", "42501"}, _CHECK),
    Rule({_NOT_CONNECTED}, _CHECK, pattern=_LOGIN_REJECTED),
    Rule({"53100"}, "Free space on the database's disk.", StoreUnavailable),
    Rule({"53400"}, "Raise that limit of the server, such as temp_file_limit, for the role."),
    # Files that are missing or hold something else: not the state of a moment.
    Rule({"58P01", "58P02", "XX001", "XX002"}, "The database is damaged: tell who runs it."),
    transient(_NOT_CONNECTED, "08", "53", "57P01", "57P02", "57P03", "57P04", "57P05", "58"),
    # Cancelled, by a person or by a timeout of the statement, the session or the transaction.
    transient("57014", "25P03", "25P04"),
    transient("40", "55P03", "55006"),  # a conflict with another transaction, or lock_timeout
    Rule({"XX000"}, "Try later.", StoreUnavailable, _AT_ONCE),
    Rule({"54"}, "The table, or an index on it, exceeds what PostgreSQL can store."),
    Rule({"22P05"}, "Use a database whose encoding is UTF8."),
    Rule({"22"}, "Correct the file or the specification first.", UncastableValue),
    # Of the CHECK that a month's rows are copied under.
    Rule(
        {"23514"},
        "The file has another source_month: clean the month again.",
        AuditFailed,
        r'.*"one_month"',
    ),
    Rule(
        {"23"},
        "The table has a constraint that the rows do not satisfy: correct the rows, or drop it.",
        AuditFailed,
    ),
    Rule(
        {"2BP01"},
        "Define what depends on a month's partition on its table instead, and drop it there.",
        TableSchemaConflict,
    ),
    Rule(set(), "The tables are unchanged.", AuditFailed),
)

POSTGRES = Service("PostgreSQL", (psycopg.Error,), _details, _RULES)
