"""Read TLC's lookup and shapefile of the taxi zones into one table (``datasets.zones``).

Import this module inside the function that needs it: its two libraries take a fifth of a second to
import, and most runs need neither.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import shapefile
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from taxi_assets.datasets import TAXI_ZONE_COLUMNS
from taxi_assets.datasets.arrow import ARROW
from taxi_assets.errors import CorruptDownload

__all__ = ["read_zones"]


def read_zones(lookup: Path, shapes: Path) -> pa.Table:
    """The lookup CSV and the zipped shapefile as one table, with a row per zone of the lookup.

    The text ``N/A``, which TLC writes for zones without a location, is not turned into NULL. Raises
    ``CorruptDownload`` for a file that is damaged, without zones or of another format.
    """
    try:
        outlines = _outlines(shapes)
        with lookup.open(newline="", encoding="utf-8-sig") as file:
            rows = [_zone(row, outlines) for row in csv.DictReader(file)]
        if not (rows and outlines):
            raise ValueError("one has no zones")
    except Exception as error:  # a damaged shapefile raises errors of several libraries
        raise CorruptDownload(
            f"{lookup.name} or {shapes.name} cannot be read ({type(error).__name__}: {error}).",
            "Materialize lake_zones again; if it fails again, check the files on TLC's page.",
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
    """Outline and published area by zone; the zone is ``OBJECTID``, ``LocationID`` has errors."""
    outlines: dict[int, tuple[BaseGeometry, float]] = {}
    with shapefile.Reader(str(shapes)) as reader:
        for each in reader.iterShapeRecords():
            geometry = unary_union([shape(each.shape.__geo_interface__)])
            outlines[int(each.record["OBJECTID"])] = (geometry, float(each.record["Shape_Area"]))
    return outlines
