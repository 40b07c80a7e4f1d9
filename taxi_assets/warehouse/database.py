"""The resource ``database``: connections to the warehouse, where it is DuckDB or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from taxi_assets.warehouse.base import Database
from taxi_assets.warehouse.factory import open_database

__all__ = ["DatabaseResource"]


class DatabaseResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # generic only in its stubs
    """The database at ``url``: ``duckdb:///path`` or ``postgresql://…``.

    The warehouse uses it, and so can any asset that names a parameter ``database``.
    ``memory_limit`` applies to DuckDB.
    """

    url: str
    memory_limit: str = "512MB"

    def opened(self) -> Database:
        """The warehouse in this database; opens no connection."""
        return open_database(self.url, memory_limit=self.memory_limit)

    @contextmanager
    def get_connection(self) -> Iterator[Any]:
        """A connection for queries of your own.

        To PostgreSQL it is a ``sqlalchemy.Connection``, as pandas' ``read_sql`` and ``to_sql``
        take it, whose transaction is committed at the end of the block. To DuckDB it is a
        ``duckdb.DuckDBPyConnection``; while it is open, no other process can open the file.
        """
        with self.opened().connection() as connection:
            yield connection
