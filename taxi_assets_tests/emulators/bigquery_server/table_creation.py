"""Making a table at once: whoever asks meanwhile sees none, or all of it.

Of two requests BigQuery tells the second that the table exists (409, ``duplicate`` at
https://cloud.google.com/bigquery/docs/error-messages), and ``exists_ok`` of Google's client relies
on it. Upstream looks first, creates the columns and then notes the partitions: of two requests at
once one fails to commit, and who reads in between sees a table without partitions.
"""

from __future__ import annotations

import threading
from typing import Any

from .upstream import tables

_create, _get = tables.create, tables.get
_one_at_a_time = threading.RLock()  # upstream's create ends by calling get


def apply() -> None:
    """Replace upstream's functions."""
    tables.create, tables.get = create, get


def create(*arguments: Any) -> Any:
    """The new table's resource; the arguments are upstream's."""
    with _one_at_a_time:
        return _create(*arguments)


def get(*arguments: Any) -> Any:
    """The table's resource; the arguments are upstream's."""
    with _one_at_a_time:
        return _get(*arguments)
