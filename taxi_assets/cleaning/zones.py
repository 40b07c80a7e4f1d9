"""Read TLC's lookup and shapefile of the taxi zones into one table (``datasets.zones``).

Import this module inside the function that needs it: its libraries take a fifth of a second to
import, and most runs need none of them.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapefile
import shapely
from pyproj import Transformer
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from taxi_assets.datasets import TAXI_ZONE_COLUMNS, Type
from taxi_assets.datasets.arrow import ARROW, GEOARROW
from taxi_assets.datasets.stored import documentation
from taxi_assets.errors import CorruptDownload

__all__ = ["read_zones"]

# East before north.
_TO_WGS84: Final = Transformer.from_crs("EPSG:2263", "OGC:CRS84", always_xy=True)
# https://geoparquet.org/releases/v1.1.0/: coordinates without a "crs" are OGC:CRS84.
_GEOPARQUET: Final = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {
        "geometry": {
            "encoding": "WKB",
            "geometry_types": ["Polygon", "MultiPolygon"],
            "orientation": "counterclockwise",
        }
    },
}


def read_zones(lookup: Path, shapes: Path) -> pa.Table:
    """The lookup CSV and the zipped shapefile as one table, with a row per zone of the lookup.

    Its metadata make a Parquet file of it a GeoParquet one. The text ``N/A``, which TLC writes for
    zones without a location, is not turned into NULL. Raises ``CorruptDownload`` for a file that
    is damaged, without zones or of another format.
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
    return pa.Table.from_pylist(rows, schema=_schema())


def _schema() -> pa.Schema:
    fields = []
    for column in TAXI_ZONE_COLUMNS:
        about = {b"description": documentation(column).encode()}
        if column.type is Type.GEOGRAPHY:
            fields.append(pa.field(column.name, pa.binary(), metadata={**about, **GEOARROW}))
        else:
            fields.append(pa.field(column.name, ARROW[column.type], metadata=about))
    return pa.schema(fields, metadata={b"geo": json.dumps(_GEOPARQUET).encode()})


def _zone(
    row: dict[str, str], outlines: dict[int, tuple[BaseGeometry, float]]
) -> dict[str, object]:
    number = int(row["LocationID"])
    names = {
        "location_id": number,
        "borough": row["Borough"],
        "zone": row["Zone"],
        "service_zone": row["service_zone"],
    }
    if number not in outlines:
        return names
    feet, area = outlines[number]
    outline = _wgs84(feet)
    inside = outline.representative_point()
    return {
        **names,
        "longitude": inside.x,
        "latitude": inside.y,
        "geometry": outline.wkb,
        "geometry_wkt": feet.wkt,
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


def _wgs84(feet: BaseGeometry) -> BaseGeometry:
    """A valid outline in longitude and latitude, with outer rings counterclockwise."""
    return shapely.orient_polygons(shapely.make_valid(shapely.transform(feet, _degrees)))


def _degrees(feet: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Longitudes and latitudes of points, each of two coordinates."""
    return np.column_stack(_TO_WGS84.transform(feet[:, 0], feet[:, 1]))
