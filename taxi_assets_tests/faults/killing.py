"""Kill this process at its n-th operation of a kind, as a machine that loses power would.

``file``: before a file operation below the given folders, by Python's audit events. ``statement``:
before and after a statement of DuckDB and PostgreSQL. ``request``: before an HTTP request is sent,
and when its response has arrived. ``event``: before and after Dagster records an event.
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import dagster as dg

__all__ = ["OPERATIONS", "Operations"]

OPERATIONS = ("file", "statement", "request", "event")

_FILE_EVENTS = frozenset({
    "open", "os.chmod", "os.link", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
    "os.scandir", "os.symlink", "os.truncate", "os.utime",
})  # fmt: skip


class Operations:
    """Counts operations of one kind in this process, and kills it at the ``at``-th (0: never)."""

    def __init__(self, kind: str, folders: Sequence[str], at: int) -> None:
        self._kind, self._at = kind, at
        self._folders = tuple(folders)
        self.count = 0

    def arm(self) -> None:
        """Begin to count; cannot be undone, so only in a child."""
        {
            "file": self._arm_files,
            "statement": self._arm_statements,
            "request": self._arm_requests,
            "event": self._arm_events,
        }[self._kind]()

    def _step(self) -> None:
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _arm_files(self) -> None:
        def watch(event: str, args: tuple[object, ...]) -> None:
            if event in _FILE_EVENTS and any(
                isinstance(arg, str | bytes | os.PathLike)
                and os.fsdecode(arg).startswith(self._folders)
                for arg in args[:2]
            ):
                self._step()

        sys.addaudithook(watch)

    def _arm_statements(self) -> None:
        import duckdb  # noqa: PLC0415 - loaded before the fork

        self._around(duckdb, "connect")
        for name in ("execute", "sql", "close"):
            self._around(duckdb.DuckDBPyConnection, name)
        if "psycopg" in sys.modules:
            import psycopg  # noqa: PLC0415 - only if the warehouse uses it

            self._around(psycopg.Cursor, "execute")
            self._around(psycopg.Copy, "write")
            self._around(psycopg.Connection, "commit")

    def _arm_requests(self) -> None:
        self._around(http.client.HTTPConnection, "endheaders", after=False)
        self._around(http.client.HTTPResponse, "begin", before=False)

    def _arm_events(self) -> None:
        self._around(dg.DagsterInstance, "handle_new_event")

    def _around(self, owner: Any, name: str, *, before: bool = True, after: bool = True) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        @wraps(original)
        def counted(*args: Any, **named: Any) -> Any:
            if before:
                self._step()
            result = original(*args, **named)
            if after:
                self._step()
            return result

        setattr(owner, name, counted)
