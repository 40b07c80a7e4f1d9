"""``warehouse_trips``: the published month as one partition of the dataset's tables.

The asset returns its input; the warehouse's IO manager loads it.
"""

from typing import Final

import dagster as dg

from taxi_assets.assets.common import Redo, declared, trip_key
from taxi_assets.assets.handing_on import handed_on
from taxi_assets.assets.zones import TAXI_ZONES
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.lake.handles import LakeValue, StoredMonth
from taxi_assets.versions import LAYOUT

__all__ = ["warehouse_trips"]

# Shown as lineage. A dependency would make every month stale when the zones are refreshed.
_JOINED: Final = {
    name: dg.TableColumnDep(TAXI_ZONES, "location_id")
    for name in ("pickup_zone_id", "dropoff_zone_id")
}


def warehouse_trips(spec: DatasetSpec, kind: str) -> dg.AssetsDefinition:
    """The dataset's fourth asset; ``kind`` labels the engine in the UI."""
    upstream = trip_key(spec, "lake_trips")

    @dg.asset(
        **declared(spec, "warehouse_trips"),
        description=f"{spec.title}: the month as one partition of table {spec.name}_trips, and "
        f"its rejects in {spec.name}_rejects.",
        ins={"published": dg.AssetIn(upstream)},
        kinds={kind, "table"},
        pool="warehouse",
        code_version=LAYOUT,
        io_manager_key="warehouse",
    )
    def loaded(config: Redo, published: StoredMonth) -> dg.MaterializeResult[LakeValue]:
        return handed_on(published, upstream, redo=config.redo, joined=_JOINED)

    return loaded
