"""Error rules for DuckDB, see :mod:`taxi_assets.services`.

DuckDB has no error codes, so rules match exception classes, and messages where a class is too wide.
"""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pyarrow as pa

from taxi_assets.errors import AuditFailed, WarehouseLocked
from taxi_assets.machine_errors import DUCKDB_LIMITS, duckdb_details
from taxi_assets.services import Rule, Service

__all__ = ["DUCKDB", "DUCKDB_STREAM"]

_CLOSE = (
    "Close the file in the notebook, shell or run that has it open: while one process writes, "
    "DuckDB allows no other to open it."
)
# Open in another process; in another mode in this process; or just closing.
_IN_USE = (
    r'IO Error: Could not set lock on file ".*": '
    r"(Conflicting lock is held in|Lock is already held in current process).*"
    r"|Connection Error: Can't open a connection to same database file with a different "
    r"configuration than existing connections|Resource In Use Error: .*"
)
_DAMAGED = (
    r'IO Error: The file ".*" exists, but it is not a valid DuckDB database file!'
    r"|(Data Corruption Error: )?Corrupt (database file|WAL).*"
)
_OPENING = {duckdb.IOException, duckdb.ConnectionException, duckdb.ResourceInUseException}

_RULES = (
    Rule(_OPENING, _CLOSE, WarehouseLocked, _IN_USE),
    Rule(set(), "Restore the file, or move it away and load its months again.", pattern=_DAMAGED),
    *DUCKDB_LIMITS,
    Rule(_OPENING, "Correct TAXI_WAREHOUSE_URL, or its folder's permissions and free space."),
    Rule(set(), "The tables are unchanged; run the month again.", AuditFailed),
)

DUCKDB = Service("DuckDB", (duckdb.Error,), duckdb_details, _RULES)
# The errors of a stream of batches come through Arrow's C interface, which has no classes for them.
DUCKDB_STREAM = replace(DUCKDB, raises=(duckdb.Error, pa.ArrowException, OSError))
