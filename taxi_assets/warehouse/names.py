"""The tables of users' assets: their names, and that two assets never write to the same one.

Joining an asset key with ``_`` is not unique (``a/b_c`` and ``a_b/c``), and an escaped name would
part a table from the queries that people have on it. So a name stays as it is, and the second asset
that would write to a table is refused, by Dagster's records of what was stored there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import dagster as dg

from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.stored import Part
from taxi_assets.errors import Misconfigured
from taxi_assets.warehouse.months import LOADED_MONTHS

__all__ = ["TABLE_NAME", "require_own_table", "user_table"]

# The metadata by which Dagster knows the table of a materialization.
TABLE_NAME: Final = "dagster/table_name"

_ZONES: Final = "taxi_zones"
# With the names of partitions in PostgreSQL, and of the tables into which their rows are copied.
_RESERVED: Final = re.compile(
    rf"({'|'.join(DATASETS)})_({'|'.join(Part)})(_\d{{6}})?|{LOADED_MONTHS.name}|{_ZONES}"
    r"|incoming_[0-9a-f]{12}_[0-9a-f]{8}",
    re.IGNORECASE,
)
# What BigQuery permits, which has the narrowest rule for characters, and its limit in bytes.
_PERMITTED: Final = re.compile(r"[\w -]+")
_LIMIT_BYTES: Final = 1024


def user_table(path: Sequence[str]) -> str:
    """The table of an asset that is not one of the months: its key, joined with ``_``.

    Raises ``Misconfigured`` for a name that no warehouse permits or that the platform's own tables
    have.
    """
    name, asset = "_".join(path), "/".join(path)
    if not _PERMITTED.fullmatch(name) or len(name.encode()) > _LIMIT_BYTES:
        raise Misconfigured(
            f"Asset {asset[:100]!r} cannot be a table.",
            f"Use letters, digits, _, - and spaces in its key, at most {_LIMIT_BYTES} bytes.",
        )
    if _RESERVED.fullmatch(name) and list(path) != [_ZONES]:
        raise Misconfigured(
            f"Asset {asset} would be stored as {name}, which is a table of this platform.",
            "Rename the asset.",
        )
    return name


def require_own_table(instance: dg.DagsterInstance, key: dg.AssetKey, table: str) -> None:
    """Raise ``Misconfigured`` if another asset was stored in ``table``.

    Case is ignored, as DuckDB does.
    """
    for other in instance.get_asset_keys():
        if other != key and _same(_joined(other), table):
            event = instance.get_latest_materialization_event(other)
            stored = event.asset_materialization if event else None
            if (
                stored
                and TABLE_NAME in stored.metadata
                and _same(str(stored.metadata[TABLE_NAME].value), table)
            ):
                raise Misconfigured(
                    f"Asset {key.to_user_string()} would be stored in table {table}, which holds "
                    f"asset {other.to_user_string()}.",
                    "Rename one of them, or, if the other no longer exists, wipe its "
                    "materializations in the UI.",
                )


def _joined(key: dg.AssetKey) -> str:
    return "_".join(key.path)


def _same(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()
