"""Error rules for PostgreSQL, see :mod:`taxi_assets.services`.

Codes are SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html) or their
classes, the first two characters.
"""

from __future__ import annotations

import psycopg

from taxi_assets.errors import AuditFailed, UncastableValue
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


def _details(error: Exception) -> ErrorDetails:
    message = str(error).strip().partition("\n")[0] or type(error).__name__
    state = getattr(error, "sqlstate", None)
    if state:
        return ErrorDetails(message, {state, state[:2]})
    if isinstance(error, psycopg.OperationalError):
        return ErrorDetails(message, {_NOT_CONNECTED})
    return ErrorDetails(message)


_RULES = (
    Rule({"28", "3D", "3F", "42501", "25006"}, _CHECK),
    Rule({_NOT_CONNECTED}, _CHECK, pattern=_LOGIN_REJECTED),
    transient(_NOT_CONNECTED, "08", "53", "57P01", "57P02", "57P03", "57P04", "57P05", "58"),
    transient("40", "55P03"),  # a conflict with another transaction, or lock_timeout
    Rule({"22"}, "Correct the file or the specification first.", UncastableValue),
    # The only CHECK is on the source_month of a partition that is being loaded.
    Rule({"23514"}, "The file has another source_month: clean the month again.", AuditFailed),
    Rule(set(), "The tables are unchanged.", AuditFailed),
)

POSTGRES = Service("PostgreSQL", (psycopg.Error,), _details, _RULES)
