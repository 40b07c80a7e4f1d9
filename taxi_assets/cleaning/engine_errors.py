"""Error rules for DuckDB when it cleans a published file, see :mod:`taxi_assets.services`.

What is neither the machine nor a wrong rule is the file: DuckDB has no class of its own for a
damaged one.
"""

from __future__ import annotations

from typing import Final

import duckdb

from taxi_assets.errors import CorruptDownload
from taxi_assets.machine_errors import DUCKDB_LIMITS, duckdb_details
from taxi_assets.services import Rule, Service

__all__ = ["ENGINE", "NO_EDIT_HELPS", "corrupt"]

_AGAIN: Final = (
    "Run raw_trips and clean_trips of the month again with redo: true in their configuration, "
    "which downloads the file again; if it fails again, TLC must publish the file again."
)
NO_EDIT_HELPS: Final = (
    "No edit of the specification helps: TLC must publish the file again, which the reissue "
    "sensor notices."
)
_IN_A_RULE: Final = {duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException}

ENGINE: Final = Service(
    "DuckDB",
    (duckdb.Error,),
    duckdb_details,
    (
        *DUCKDB_LIMITS,
        Rule(
            {duckdb.ParserException},
            "Correct TAXI_MEMORY_LIMIT, such as 512MB.",
            pattern=r"Parser Error: (Memory|Unknown unit for memory).*",
        ),
        Rule(_IN_A_RULE, "Correct the rules in taxi_assets/datasets/."),
        Rule(set(), _AGAIN, CorruptDownload),
    ),
)


def corrupt(name: str, reason: str) -> CorruptDownload:
    """The error for the published file ``name`` that is damaged for that ``reason``."""
    return CorruptDownload(f"{name} is damaged: {reason}. Nothing was stored.", _AGAIN)
