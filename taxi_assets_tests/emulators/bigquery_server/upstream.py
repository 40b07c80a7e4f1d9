"""Every part of local-bigquery 0.3.2 that is used or replaced here, in one place.

They are internals: a new version is adopted by reading them again.
"""

from __future__ import annotations

# Installed in this program's own environment only, so the type checker sees none of it.
from local_bigquery import cli, models  # type: ignore[import-not-found]
from local_bigquery.app import app  # type: ignore[import-not-found]
from local_bigquery.catalog import metadata, names, tables  # type: ignore[import-not-found]
from local_bigquery.engine import database, results, types  # type: ignore[import-not-found]
from local_bigquery.errors import (  # type: ignore[import-not-found]
    BigQueryError,
    already_exists,
    not_found,
)
from local_bigquery.jobs import copy, load, storage  # type: ignore[import-not-found]
from local_bigquery.sql.rules import information_schema  # type: ignore[import-not-found]

__all__ = [
    "BigQueryError",
    "already_exists",
    "app",
    "cli",
    "copy",
    "database",
    "information_schema",
    "load",
    "metadata",
    "models",
    "names",
    "not_found",
    "results",
    "storage",
    "tables",
    "types",
]
