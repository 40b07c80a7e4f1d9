"""``lake_trips``: the audited month as a published object, for people to read.

The asset returns its input; the lake's IO manager copies the object within the store.
"""

import dagster as dg

from taxi_assets.assets.common import Redo, declared, trip_key
from taxi_assets.assets.handing_on import handed_on
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.lake.handles import LakeValue, StoredMonth
from taxi_assets.versions import LAYOUT

__all__ = ["lake_trips"]


def lake_trips(spec: DatasetSpec, kind: str) -> dg.AssetsDefinition:
    """The dataset's third asset; ``kind`` labels the store in the UI."""
    upstream = trip_key(spec, "clean_trips")

    @dg.asset(
        **declared(spec, "lake_trips"),
        description=f"{spec.title}: the audited month as a published Parquet object.",
        ins={"cleaned": dg.AssetIn(upstream)},
        kinds={kind, "parquet"},
        code_version=LAYOUT,
        io_manager_key="lake",
    )
    def published(config: Redo, cleaned: StoredMonth) -> dg.MaterializeResult[LakeValue]:
        return handed_on(cleaned, upstream, redo=config.redo)

    return published
