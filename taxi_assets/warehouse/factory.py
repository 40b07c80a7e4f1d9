"""Open the warehouse at a URL, which ``addresses`` parses.

An engine's client takes up to a second to import, so it is imported on use.
"""

from __future__ import annotations

from taxi_assets import optional
from taxi_assets.addresses import WarehouseAddress, shown, warehouse_address
from taxi_assets.errors import Misconfigured
from taxi_assets.warehouse.base import Database, Warehouse

__all__ = ["open_database", "open_warehouse"]


def open_warehouse(
    url: str, *, memory_limit: str = "512MB", threads: int | None = None
) -> Warehouse:
    """The warehouse at ``url``; opens no connection.

    ``memory_limit`` and ``threads`` apply to DuckDB only. Raises ``Misconfigured`` for an invalid
    URL or an extra that is not installed.
    """
    address = warehouse_address(url)
    if address.kind == "bigquery":
        return _bigquery(address)
    return open_database(url, memory_limit=memory_limit, threads=threads)


def open_database(url: str, *, memory_limit: str = "512MB", threads: int | None = None) -> Database:
    """As ``open_warehouse``, for DuckDB and PostgreSQL; raises ``Misconfigured`` for BigQuery."""
    address = warehouse_address(url)
    if address.kind == "bigquery":
        raise Misconfigured(
            f"{shown(address.url)} has no connections.", "Use the resource bigquery."
        )
    if address.path is None:
        return _postgres(url)
    from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse  # noqa: PLC0415 - slow import

    return DuckDBWarehouse(address.path, memory_limit=memory_limit, threads=threads)


def _bigquery(address: WarehouseAddress) -> Warehouse:
    from taxi_assets.warehouse.bigquery import BigQueryWarehouse  # noqa: PLC0415 - a slow import

    return BigQueryWarehouse(
        address.project,
        address.dataset,
        location=address.location,
        require_partition_filter=address.require_partition_filter,
    )


def _postgres(url: str) -> Database:
    postgres = optional.load(
        "taxi_assets.warehouse.postgres", extra="postgres", wanted_by="A PostgreSQL warehouse"
    )
    return postgres.PostgresWarehouse(url)  # type: ignore[no-any-return] # a module is untyped
