"""Probe the session that a PostgreSQL warehouse gives to a load."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final

from taxi_assets.errors import Misconfigured
from taxi_assets.probes.probe import Probe
from taxi_assets.warehouse.postgres import PostgresWarehouse

__all__ = ["PostgresProbes"]

_WHO: Final = "warehouse: who am I"
_MILLISECONDS: Final = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
# The largest month takes minutes to copy; while its rows are read the session is idle for less.
_ENOUGH_SECONDS: Final = {
    "statement_timeout": 1800,
    "transaction_timeout": 1800,
    "idle_in_transaction_session_timeout": 30,
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
        """A load sets its own; a pooler, or a database like PostgreSQL, may not apply them."""
        found = self._session
        for name, seconds in _ENOUGH_SECONDS.items():
            if 0 < _milliseconds(found[name]) < seconds * 1000:
                raise Misconfigured(
                    f"{name} is {found[name]}, so that the server ends the load of a large month.",
                    f'Run `ALTER ROLE "{found["user"]}" IN DATABASE "{found["database"]}" '
                    f"SET {name} = 0`, or set at least {seconds}s.",
                )
        return ", ".join(f"{name} {found[name]}" for name in _ENOUGH_SECONDS)


def _milliseconds(text: str) -> int:
    """A time as PostgreSQL shows it, such as ``10s`` or ``2min``; ``0`` is none."""
    unit = text.lstrip("0123456789")
    return int(text.removesuffix(unit)) * _MILLISECONDS.get(unit, 1)
