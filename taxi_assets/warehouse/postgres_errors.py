"""What PostgreSQL says when it refuses, as a table; see :mod:`taxi_assets.services`.

https://www.postgresql.org/docs/current/errcodes-appendix.html lists its SQLSTATEs; a rule names a
whole one or its class, the first two characters.
"""

from __future__ import annotations

import psycopg

from taxi_assets.errors import AuditFailed, UncastableValue
from taxi_assets.services import Rule, Said, Service, transient

__all__ = ["POSTGRES"]

_NOT_CONNECTED = "not connected"  # libpq gives no SQLSTATE to a connection that failed or was cut
_NOT_LET_IN = (
    r'.*(FATAL: +\w+ authentication failed for user ".*"|FATAL: +no pg_hba\.conf entry for .*'
    r'|FATAL: +(role|database) ".*" does not exist|fe_sendauth: no password supplied'
    r'|root certificate file ".*" does not exist)'
)
_CHECK = (
    "The role needs CONNECT on the database and USAGE and CREATE on the schema. Check role, "
    "password and database in TAXI_WAREHOUSE_URL."
)


def _said(error: Exception) -> Said:
    message = str(error).strip().partition("\n")[0] or type(error).__name__
    state = getattr(error, "sqlstate", None)
    if state:
        return Said(message, {state, state[:2]})
    return Said(message, {_NOT_CONNECTED} if isinstance(error, psycopg.OperationalError) else set())


_RULES = (
    Rule({"28", "3D", "3F", "42501", "25006"}, _CHECK),
    Rule({_NOT_CONNECTED}, _CHECK, words=_NOT_LET_IN),
    transient(_NOT_CONNECTED, "08", "53", "57P01", "57P02", "57P03", "57P04", "57P05", "58"),
    transient("40", "55P03"),  # another transaction was in the way
    Rule({"22"}, "Correct the file or the specification first.", UncastableValue),
    # The only CHECK there is bounds the source_month of a partition that is being loaded.
    Rule({"23514"}, "The file holds another source_month: make it again.", AuditFailed),
    Rule(set(), "The tables are as they were.", AuditFailed),
)

POSTGRES = Service("PostgreSQL", (psycopg.Error,), _said, _RULES)
