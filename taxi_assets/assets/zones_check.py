"""The check of ``taxi_zones``: present, complete and refreshed.

Months neither wait for the zones nor become stale with them, so no asset of a month depends on
``taxi_zones``; this check says when trips are loaded and cannot be joined. The column lineage of
``warehouse_trips`` shows what is joined with what.
https://docs.dagster.io/guides/test/asset-checks
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from taxi_assets.assets.zones import TAXI_ZONES
from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.rules import LAST_ZONE
from taxi_assets.failures import translated_errors
from taxi_assets.warehouse.io_manager import WarehouseTable
from taxi_assets.wording import counted

__all__ = ["LOADED_ZONES", "loaded_zones"]

LOADED_ZONES: Final = dg.AssetCheckKey(TAXI_ZONES, "loaded_zones")

# The schedule refreshes them monthly.
_REFRESHED_WITHIN: Final = timedelta(days=45)


def loaded_zones() -> dg.AssetChecksDefinition:
    """Warns of trips without zones, of missing zones, and of zones that nothing refreshes."""

    @dg.asset_check(
        asset=TAXI_ZONES,
        name=LOADED_ZONES.name,
        description=f"Are all {LAST_ZONE} zones loaded, if any trips are, and were they refreshed "
        f"in the last {_REFRESHED_WITHIN.days} days?",
        pool="warehouse",
    )
    def check(context: dg.AssetCheckExecutionContext, zones: WarehouseTable) -> dg.AssetCheckResult:
        with translated_errors(context):
            rows = zones.warehouse.count(zones.name, None)
            trips = [name for name in DATASETS if zones.warehouse.loaded_months(f"{name}_trips")]
        refreshed = _refreshed(context.instance)
        problems = list(_problems(rows, trips, refreshed))
        return dg.AssetCheckResult(
            passed=not problems,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{' '.join(problems)} Run the job zones."
            if problems
            else f"{counted(rows, 'zone')} loaded.",
            metadata={"rows": rows},
        )

    return check


def _refreshed(instance: dg.DagsterInstance) -> datetime | None:
    event = instance.get_latest_materialization_event(TAXI_ZONES)
    return datetime.fromtimestamp(event.timestamp, UTC) if event else None


def _problems(rows: int, trips: list[str], refreshed: datetime | None) -> Iterator[str]:
    if rows != LAST_ZONE and (rows or trips):
        yield f"taxi_zones has {counted(rows, 'row')} instead of {LAST_ZONE}."
    if not rows and trips:
        yield f"Trips of {', '.join(trips)} are loaded and cannot be joined."
    if rows and (refreshed is None or datetime.now(UTC) - refreshed > _REFRESHED_WITHIN):
        yield (
            f"The zones were last refreshed {refreshed:%Y-%m-%d}."
            if refreshed
            else ("There is no record of a refresh of the zones.")
        )
