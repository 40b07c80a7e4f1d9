"""Probe the session that a PostgreSQL warehouse gives to a load."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Final

from taxi_assets.errors import Misconfigured
from taxi_assets.probes.probe import Probe
from taxi_assets.warehouse.postgres import PostgresWarehouse

__all__ = ["PostgresProbes"]

_WHO: Final = "warehouse: who am I"
_UNITS: Final = {"ms": timedelta(milliseconds=1), "s": timedelta(seconds=1)}
# The largest month takes minutes to copy; while its rows are read the session is idle for less.
_ENOUGH: Final = {
    "statement_timeout": timedelta(minutes=30),
    "transaction_timeout": timedelta(minutes=30),
    "idle_in_transaction_session_timeout": timedelta(minutes=1),
}


class PostgresProbes:
    """The probes of a connection to the warehouse at ``url``."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _session(self) -> Mapping[str, str]:
        return PostgresWarehouse(self._url).session()

    def probes(self) -> list[Probe]:
        """All of them, in order."""
        return [
            Probe(_WHO, self._who),
            Probe("warehouse: time limits", self._limits, (_WHO,)),
        ]

    def _who(self) -> str:
        found = self._session
        return (
            f"{found['user']} in schema {found['schema']} of database {found['database']}, "
            f"PostgreSQL {found['version']}"
        )

    def _limits(self) -> str:
        found = self._session
        short = {
            name: found[name]
            for name, enough in _ENOUGH.items()
            if timedelta() < _duration(found.get(name, "0ms")) < enough
        }
        for name, value in short.items():
            raise Misconfigured(
                f"{name} is {value}, so that the server ends a load of a large month.",
                f'`ALTER ROLE "{found["user"]}" IN DATABASE "{found["database"]}" '
                f"SET {name} = 0`, or at least {int(_ENOUGH[name].total_seconds())}s.",
            )
        return "none that ends the load of a month"


def _duration(text: str) -> timedelta:
    """A time in PostgreSQL's own units, such as ``60000ms``."""
    unit = text.lstrip("0123456789")
    return int(text.removesuffix(unit)) * _UNITS[unit]
