"""Connections to PostgreSQL that end when the server is silent, and their transactions.

TCP finds out by itself only that the peer's machine is unreachable, and by default after hours. A
proxy whose server is gone, and a server process that has stopped, acknowledge every packet. So each
wait is watched: if nothing was received for a while, the server is asked on another connection
whether it is still working on the statement.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow
from typing_extensions import override

from taxi_assets.errors import Misconfigured

__all__ = ["READING", "WORKING", "Connection", "Limits", "connect", "transaction"]

_SILENT_SECONDS = 25.0  # without a byte, before the server is asked
_DOUBT_SECONDS = 5.0  # for an answer that was on its way when the server said that it was idle
_COMMIT_SECONDS = 50.0  # for any answer to a COMMIT, which a server without its standby never gives
_ASKING_SECONDS = 10.0  # to connect, and again for the answer

# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_PARAMETERS: Final[Mapping[str, str | int]] = MappingProxyType({
    "client_encoding": "utf8",  # of the rows too; the default is the database's
    "fallback_application_name": "taxi_assets",
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 45_000,
})  # fmt: skip

# In every transaction, whatever the server's or the role's settings are: values are read back as
# they were written, and a session whose client's machine is gone ends within a minute.
# https://www.postgresql.org/docs/current/runtime-config-client.html
_SETTINGS: Final[Mapping[str, str]] = MappingProxyType({
    "datestyle": "ISO, YMD",
    "extra_float_digits": "1",
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
})  # fmt: skip
_TRANSACTION_TIMEOUT_SINCE = 170000


@dataclass(frozen=True, slots=True)
class Limits:
    """The server's timeouts in a transaction, in PostgreSQL's notation; ``0`` is none."""

    lock: str = "50s"
    statement: str = "0"
    idle: str = "50s"
    # Also ends a session whose client acknowledges but does not read.
    tcp_user: str = "45s"


# A load's long statements: COPY, CREATE INDEX.
WORKING: Final = Limits()
# A reader may keep the connection between two batches for as long as it likes.
READING: Final = Limits(idle="0", tcp_user="0")


class Connection(psycopg.Connection[TupleRow]):
    """A connection whose waits end with ``OperationalError`` if the server is silent.

    ``parameters`` connect to the same server again, and ``server_pid`` is the process that works on
    the current transaction, behind a pooler too.
    """

    parameters: Mapping[str, Any]
    server_pid: int | None = None
    _limit: float | None = None  # seconds for any answer, without asking

    @override
    def wait(self, gen: PQGen[RV], *args: Any, **named: Any) -> RV:
        return super().wait(self._watched(gen), *args, **named)

    @override
    def commit(self) -> None:
        self._limit = _COMMIT_SECONDS
        try:
            super().commit()
        finally:
            self._limit = None

    def _watched(self, gen: PQGen[RV]) -> PQGen[RV]:
        # psycopg resumes its generators several times a second, with 0 if nothing has arrived.
        silent_since: float | None = None
        began = 0.0
        doubted = False
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now = time.monotonic()
                if ready:
                    silent_since, doubted = None, False
                elif silent_since is None:
                    silent_since = began = now
                elif doubted and now - silent_since > _DOUBT_SECONDS:
                    self._give_up(now - began)
                elif not doubted and now - silent_since > (self._limit or _SILENT_SECONDS):
                    if self._limit is not None:
                        self._give_up(now - began)
                    doubted = not self._is_working()
                    silent_since = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as ended:
            value: RV = ended.value
            return value

    def _give_up(self, seconds: float) -> None:
        self.close()
        raise psycopg.OperationalError(f"the server did not answer for {seconds:.0f} seconds")

    def _is_working(self) -> bool:
        """Whether the server works on this connection's statement and does not wait for us."""
        with suppress(psycopg.Error), closing(connect(self.parameters)) as other:
            other._limit = _ASKING_SECONDS
            row = other.execute(
                "SELECT state = 'active' AND wait_event_type IS DISTINCT FROM 'Client' "
                "FROM pg_stat_activity WHERE pid = %s",
                [self.server_pid],
            ).fetchone()
            return row is not None and bool(row[0])
        return False


def connect(parameters: Mapping[str, Any]) -> Connection:
    """Connect with libpq's ``parameters``, which precede the defaults of this module."""
    defaults = {**_PARAMETERS, "connect_timeout": int(_ASKING_SECONDS)}
    connection = Connection.connect(**{**defaults, **parameters})
    connection.parameters = parameters
    return connection


@contextmanager
def transaction(connection: Connection, limits: Limits) -> Iterator[str]:
    """A transaction during the block, which gets the name of the current schema.

    Raises ``Misconfigured`` if there is none.
    """
    settings = {
        **_SETTINGS,
        "lock_timeout": limits.lock,
        "statement_timeout": limits.statement,
        "idle_in_transaction_session_timeout": limits.idle,
        "tcp_user_timeout": limits.tcp_user,
    }
    if connection.info.server_version >= _TRANSACTION_TIMEOUT_SINCE:
        settings["transaction_timeout"] = "0"
    calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    words = [word for setting in settings.items() for word in setting]
    try:
        row = connection.execute(
            f"SELECT pg_backend_pid(), current_schema(), {calls}".encode(), words
        ).fetchone()
        assert row is not None
        connection.server_pid, schema = row[:2]
        if schema is None:
            raise Misconfigured(
                f"No schema of the search path exists in the database {connection.info.dbname}.",
                "Create it, or name another one with ?options=-csearch_path%3DSCHEMA.",
            )
        yield schema
        connection.commit()
    except BaseException:
        with suppress(psycopg.Error):  # a connection that was cut
            connection.rollback()
        raise
