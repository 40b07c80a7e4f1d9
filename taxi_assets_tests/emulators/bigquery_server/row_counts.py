"""The exact ``numRows`` of a table: local-bigquery has DuckLake's estimate, without deletions."""

from __future__ import annotations

from typing import Any

import duckdb

from .upstream import database, tables

_load = tables.load


def apply() -> None:
    """Apply the patch."""
    tables.load = load


def load(project: str, dataset: str, table: str) -> Any:
    """The table's resource, as ``tables.get`` returns it."""
    resource = _load(project, dataset, table)
    if resource.type != "TABLE" or dataset == tables.RESULTS:
        return resource
    try:
        [(count,)] = database.fetch(f"SELECT count(*) FROM {tables.name(project, dataset, table)}")
    except duckdb.CatalogException:  # a table without columns is not in DuckDB
        return resource
    return resource.replace(numRows=str(count))
