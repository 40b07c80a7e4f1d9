"""``lake_zones`` and ``taxi_zones``: the zones that pickup and dropoff zone ids refer to.

Both are small and unpartitioned, and are always replaced as a whole.
"""

from typing import Any

import dagster as dg
import pyarrow as pa

from taxi_assets.assets.common import OWNER, TRIPS_PAGE
from taxi_assets.assets.resources import Previous, Scratch, TlcSource
from taxi_assets.datasets import TAXI_ZONE_COLUMNS
from taxi_assets.datasets.stored import documentation
from taxi_assets.failures import translated_errors
from taxi_assets.frames import write_parquet
from taxi_assets.lake import attributes
from taxi_assets.lake.handles import LakeValue, NewFile
from taxi_assets.lake.io_manager import finished
from taxi_assets.tlc import Download

__all__ = ["lake_zones", "taxi_zones"]

_SHARED: dict[str, Any] = {
    "group_name": "zones",
    "owners": [OWNER],
    "metadata": {
        "TLC's page": dg.MetadataValue.url(TRIPS_PAGE),
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(column.name, str(column.type), documentation(column))
                for column in TAXI_ZONE_COLUMNS
            ]
        ),
    },
}


def lake_zones(kind: str) -> dg.AssetsDefinition:
    """TLC's two zone files as one Parquet object; ``kind`` labels the store in the UI."""

    @dg.asset(
        **_SHARED,
        name="lake_zones",
        description="TLC's 265 taxi zones: names from the lookup, outlines from the shapefile.",
        kinds={kind, "parquet"},
        pool="tlc",
        io_manager_key="lake",
    )
    def zones(
        context: dg.AssetExecutionContext, tlc: TlcSource, scratch: Scratch, previous: Previous
    ) -> LakeValue:
        from taxi_assets.cleaning.zones import read_zones  # noqa: PLC0415 - slow to import

        with translated_errors(context):
            with tlc.client() as client:
                lookup = client.download_file("misc/taxi_zone_lookup.csv", scratch.folder)
                shapes = client.download_file("misc/taxi_zones.zip", scratch.folder)
            assert isinstance(lookup, Download)
            assert isinstance(shapes, Download)
            origin = lookup.published.origin
            previous.require_origin(origin, "The file of the taxi zones")
            before = previous.file(context)
            path = scratch.folder / "taxi_zones.parquet"
            write_parquet(read_zones(lookup.path, shapes.path), path)
            new = finished(path, {attributes.ORIGIN: str(origin)})
        return NewFile(new, before.object if before else None)

    return zones


def taxi_zones(kind: str) -> dg.AssetsDefinition:
    """The zones as a table; ``kind`` labels the engine in the UI."""

    @dg.asset(
        **_SHARED,
        name="taxi_zones",
        description="The taxi zones as a table: join it on pickup_zone_id or dropoff_zone_id.",
        ins={"zones": dg.AssetIn("lake_zones")},
        kinds={kind, "table"},
        pool="warehouse",
        io_manager_key="warehouse",
    )
    def table(zones: pa.Table) -> pa.Table:
        return zones

    return table
