"""Atomic creation of a table.

Of two concurrent requests, BigQuery rejects the second because the table exists (409, ``duplicate``
at https://cloud.google.com/bigquery/docs/error-messages), and ``exists_ok`` of Google's client
relies on it. local-bigquery checks first, creates the columns and then stores the partitioning: of
two concurrent requests one fails to commit, and a read in between gets a table without partitions.
"""

from __future__ import annotations

import threading
from typing import Any

from . import limits
from .partition_expiration import inherited
from .upstream import tables

_create, _get = tables.create, tables.get
_lock = threading.RLock()  # reentrant, because local-bigquery's create calls get


def apply() -> None:
    """Apply the patch."""
    tables.create, tables.get = create, get


def create(project: str, dataset: str, body: Any, *arguments: Any) -> Any:
    """The new table's resource; the arguments are local-bigquery's."""
    limits.check_table(body)
    with _lock:
        return _create(project, dataset, inherited(project, dataset, body), *arguments)


def get(*arguments: Any) -> Any:
    """The table's resource; the arguments are local-bigquery's."""
    with _lock:
        return _get(*arguments)
