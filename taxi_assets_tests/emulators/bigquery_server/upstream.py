"""All parts of local-bigquery 0.3.2 that the patches use or replace.

They are internal: review them before an upgrade.
"""

from __future__ import annotations

# Installed in this program's environment only, so the type checker does not find it.
from local_bigquery import cli, models  # type: ignore[import-not-found]
from local_bigquery.app import app  # type: ignore[import-not-found]
from local_bigquery.catalog import datasets, metadata, names, tables  # type: ignore[import-not-found]
from local_bigquery.engine import database, results, types  # type: ignore[import-not-found]
from local_bigquery.errors import (  # type: ignore[import-not-found]
    BigQueryError,
    already_exists,
    not_found,
)
from local_bigquery.jobs import copy, load, runner, storage  # type: ignore[import-not-found]
from local_bigquery.sql.rules import information_schema  # type: ignore[import-not-found]

__all__ = [
    "BigQueryError",
    "already_exists",
    "app",
    "cli",
    "copy",
    "database",
    "datasets",
    "information_schema",
    "load",
    "metadata",
    "models",
    "names",
    "not_found",
    "results",
    "runner",
    "storage",
    "tables",
    "types",
]
