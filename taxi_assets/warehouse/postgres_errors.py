"""What PostgreSQL's refusals mean, in the words of this package's errors.

Belongs here: SQLSTATE classes → ``errors``, with what to grant. Does not: the calls themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy.exc

from taxi_assets.errors import (
    AuditFailed,
    Misconfigured,
    StoreUnavailable,
    TaxiAssetsError,
    UncastableValue,
)

GRANTS = "The role needs CONNECT on the database and USAGE and CREATE on the schema."

# https://www.postgresql.org/docs/current/errcodes-appendix.html, class or whole code.
_PASSING = ("08", "40", "53", "55P03", "57P", "58")
_REFUSED = ("28", "3D", "3F", "42501", "25006")
_BAD_VALUE = ("22",)
_CHECK_VIOLATION = "23514"  # the only CHECK there is bounds an incoming partition's source_month


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn what the driver raises inside into this package's errors.

    ``doing`` opens the message and must not hold a password.
    """
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        if not isinstance(error.orig, psycopg.Error):
            raise
        # "from error.orig": SQLAlchemy's own text may repeat the connection's parameters.
        raise _meaning(doing, error.orig) from error.orig
    except psycopg.Error as error:
        raise _meaning(doing, error) from error


def _meaning(doing: str, error: psycopg.Error) -> TaxiAssetsError:
    state = error.sqlstate or ""
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if state.startswith(_REFUSED) or _refused_at_the_door(error):
        return Misconfigured(
            f"{doing}: PostgreSQL refused ({said}). {GRANTS} Check role, password and database in "
            "TAXI_WAREHOUSE_URL."
        )
    if state.startswith(_PASSING) or (not state and isinstance(error, psycopg.OperationalError)):
        return StoreUnavailable(
            f"{doing}: PostgreSQL is away, busy or gave way to another transaction ({said})."
        )
    if state.startswith(_BAD_VALUE):
        return UncastableValue(f"{doing}: PostgreSQL cannot hold a value ({said}).")
    if state == _CHECK_VIOLATION:
        return AuditFailed(
            f"{doing}: rows of another source_month are in the file ({said}). The tables are as "
            "they were; the file was made for another month, so make it again."
        )
    return AuditFailed(f"{doing}: PostgreSQL refused ({said}). The tables are as they were.")


def _refused_at_the_door(error: psycopg.Error) -> bool:
    # libpq reports a refused connection as text without a SQLSTATE.
    signs = ("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf")
    return error.sqlstate is None and any(sign in str(error) for sign in signs)
