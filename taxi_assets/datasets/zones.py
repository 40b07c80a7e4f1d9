"""The columns of ``taxi_zones``; ``cleaning.zones`` reads the published files.

Source: TLC's ``taxi_zone_lookup.csv`` (zones 1 to 265, one row each) and ``taxi_zones.zip`` (a
shapefile of 263 shapes, projected as NAD83 / New York Long Island, EPSG:2263, US survey feet).
A shape belongs to the zone of its ``OBJECTID``. Its ``LocationID`` is wrong for zone 57 (56) and
zones 104 and 105 (103): New York's GeoJSON of the same shapes has 57, 104 and 105, and trips do
begin and end in zone 57.

Outlines in WGS 84 are the same shapes transformed, without moving them between the two datums,
which differ by less than the shapes' accuracy (EPSG:1188, "NAD83 to WGS 84 (1)"). New York's own
GeoJSON was made so, too.
"""

from __future__ import annotations

from typing import Final

from taxi_assets.datasets.spec import Column, Type

__all__ = ["TAXI_ZONE_COLUMNS", "ZONES_VERSION", "ZONE_FILES"]

# The published files: names and boroughs, and the outlines.
ZONE_FILES: Final = ("misc/taxi_zone_lookup.csv", "misc/taxi_zones.zip")

# Raise it when the columns below or their values change: the zones are then read again, although
# TLC's files are unchanged.
ZONES_VERSION: Final = "2"

TAXI_ZONE_COLUMNS: Final[tuple[Column, ...]] = (
    Column(
        "location_id",
        Type.INTEGER,
        "Zone number, 1 to 265; joined by `pickup_zone_id` and `dropoff_zone_id`.",
        published_as=("LocationID",),
        values={264: "unknown", 265: "outside of New York City"},
    ),
    Column(
        "borough",
        Type.STRING,
        "Borough, `EWR` (Newark Airport), or the text `Unknown` or `N/A`, as published.",
        published_as=("Borough",),
    ),
    Column(
        "zone",
        Type.STRING,
        "Name of the zone; the text `N/A`, not NULL, for zone 264.",
        published_as=("Zone",),
    ),
    Column(
        "service_zone",
        Type.STRING,
        "Which taxis may be hailed there; the text `N/A`, not NULL, for zones 264 and 265.",
        published_as=("service_zone",),
    ),
    Column(
        "longitude",
        Type.FLOAT,
        "Longitude of a point inside the zone, WGS 84. NULL for 264 and 265, which have no shape.",
        published_as=("taxi_zones.shp",),
        unit="degrees",
    ),
    Column(
        "latitude",
        Type.FLOAT,
        "Latitude of the same point, WGS 84. NULL for 264 and 265.",
        published_as=("taxi_zones.shp",),
        unit="degrees",
    ),
    Column(
        "geometry",
        Type.GEOGRAPHY,
        "Outline in WGS 84, longitude first. NULL for 264 and 265. In the lake GeoParquet (WKB), in"
        " DuckDB GEOMETRY, in BigQuery GEOGRAPHY, in PostgreSQL hexadecimal WKB as text, which"
        " PostGIS casts: `geometry::geometry`.",
        published_as=("taxi_zones.shp",),
        unit="degrees",
    ),
    Column(
        "geometry_wkt",
        Type.STRING,
        "Outline as well-known text in the published coordinates, EPSG:2263 (NAD83 / New York Long"
        " Island), not longitude and latitude. NULL for 264 and 265, which have no shape.",
        published_as=("taxi_zones.shp",),
        unit="US survey feet",
    ),
    Column(
        "shape_area",
        Type.FLOAT,
        "Area as published, measured by TLC in degrees of longitude and latitude: for comparing"
        " zones, not in square feet. NULL for 264 and 265.",
        published_as=("Shape_Area",),
        unit="square degrees",
    ),
)
