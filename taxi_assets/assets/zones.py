"""The taxi zones: what pickup and dropoff zone ids point to.

Belongs here: TLC's lookup and shapefile as one table in lake and warehouse. Does not: the columns
(``datasets.zones``), geometry beyond what is published.
"""

import csv
import zipfile
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import shapefile
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from taxi_assets.assets.common import OWNER, TRIPS_PAGE
from taxi_assets.assets.resources import Scratch, TlcSource
from taxi_assets.datasets import TAXI_ZONE_COLUMNS
from taxi_assets.datasets.stored import documentation
from taxi_assets.errors import CorruptDownload
from taxi_assets.failures import translated_errors
from taxi_assets.tlc import Download
from taxi_assets.warehouse.tables import ARROW

_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn(column.name, str(column.type), documentation(column))
        for column in TAXI_ZONE_COLUMNS
    ]
)


def zone_assets(lake_kind: str, warehouse_kind: str) -> list[dg.AssetsDefinition]:
    """``lake_zones`` and the table ``taxi_zones``; both are small and replaced whole."""
    shared: dict[str, Any] = {
        "group_name": "zones",
        "owners": [OWNER],
        "metadata": {
            "TLC's page": dg.MetadataValue.url(TRIPS_PAGE),
            "dagster/column_schema": _SCHEMA,
        },
    }

    @dg.asset(
        **shared,
        description="TLC's 265 taxi zones: names from the lookup, outlines from the shapefile.",
        kinds={lake_kind, "parquet"},
        pool="tlc",
        io_manager_key="lake",
    )
    def lake_zones(context: dg.AssetExecutionContext, tlc: TlcSource, scratch: Scratch) -> pa.Table:
        with translated_errors(context):
            with tlc.client() as client:
                lookup = client.download_file("misc/taxi_zone_lookup.csv", scratch.folder)
                shapes = client.download_file("misc/taxi_zones.zip", scratch.folder)
            assert isinstance(lookup, Download)
            assert isinstance(shapes, Download)
            return read_zones(lookup.path, shapes.path)

    @dg.asset(
        **shared,
        description="The taxi zones as a table: join it on pickup_zone_id or dropoff_zone_id.",
        kinds={warehouse_kind, "table"},
        pool="warehouse",
        io_manager_key="warehouse",
    )
    def taxi_zones(lake_zones: pa.Table) -> pa.Table:
        return lake_zones

    return [lake_zones, taxi_zones]


def read_zones(lookup: Path, shapes: Path) -> pa.Table:
    """The lookup CSV and the zipped shapefile as one table, a row per zone of the lookup.

    ``N/A`` stays the word it is: TLC writes it for zones that are no place. Raises
    ``CorruptDownload`` for a file that is not what its name says.
    """
    try:
        outlines = _outlines(shapes)
        with lookup.open(newline="", encoding="utf-8-sig") as file:
            rows = [_zone(row, outlines) for row in csv.DictReader(file)]
    except (KeyError, ValueError, shapefile.ShapefileException, zipfile.BadZipFile) as error:
        raise CorruptDownload(
            f"{lookup.name} or {shapes.name} is not as TLC publishes it: {error!r}.",
            "Materialize lake_zones again; if that does not help, see TLC's page.",
        ) from error
    schema = pa.schema([(column.name, ARROW[column.type]) for column in TAXI_ZONE_COLUMNS])
    return pa.Table.from_pylist(rows, schema=schema)


def _zone(
    row: dict[str, str], outlines: dict[int, tuple[BaseGeometry, float]]
) -> dict[str, object]:
    number = int(row["LocationID"])
    outline, area = outlines.get(number, (None, None))
    return {
        "location_id": number,
        "borough": row["Borough"],
        "zone": row["Zone"],
        "service_zone": row["service_zone"],
        "geometry_wkt": outline.wkt if outline is not None else None,
        "shape_area": area,
    }


def _outlines(shapes: Path) -> dict[int, tuple[BaseGeometry, float]]:
    """Outline and published area by zone; ``OBJECTID`` is the zone, ``LocationID`` errs."""
    outlines: dict[int, tuple[BaseGeometry, float]] = {}
    with shapefile.Reader(str(shapes)) as reader:
        for each in reader.iterShapeRecords():
            geometry = unary_union([shape(each.shape.__geo_interface__)])
            outlines[int(each.record["OBJECTID"])] = (geometry, float(each.record["Shape_Area"]))
    return outlines
