"""What DuckDB says when it refuses, as a table; see :mod:`taxi_assets.services`.

DuckDB has no codes: classes of exceptions, and whole sentences where a class is too wide.
"""

from __future__ import annotations

import duckdb

from taxi_assets.errors import AuditFailed, WarehouseLocked
from taxi_assets.services import Rule, Said, Service

__all__ = ["DUCKDB"]

_CLOSE = (
    "Close the file in the notebook, shell or run that has it open: DuckDB lets one process write "
    "and, meanwhile, none read."
)
# Another process; a connection of this one that reads while this one would write, or the reverse;
# one that is just closing.
_IN_USE = (
    r'IO Error: Could not set lock on file ".*": '
    r"(Conflicting lock is held in|Lock is already held in current process).*"
    r"|Connection Error: Can't open a connection to same database file with a different "
    r"configuration than existing connections|Resource In Use Error: .*"
)
_DAMAGED = (
    r'IO Error: The file ".*" exists, but it is not a valid DuckDB database file!'
    r"|Corrupt (database file|WAL).*"
)
_OPENING = {duckdb.IOException, duckdb.ConnectionException, duckdb.ResourceInUseException}

_RULES = (
    Rule(_OPENING, _CLOSE, WarehouseLocked, _IN_USE),
    Rule(set(), "Restore the file, or move it away and load its months again.", words=_DAMAGED),
    Rule(_OPENING, "Correct TAXI_WAREHOUSE_URL, or the permissions and the space of its folder."),
    Rule({duckdb.OutOfMemoryException}, "Set TAXI_MEMORY_LIMIT higher."),
    Rule(set(), "The tables are as they were; make the month again.", AuditFailed),
)

DUCKDB = Service("DuckDB", (duckdb.Error,), lambda error: Said(str(error)), _RULES)
