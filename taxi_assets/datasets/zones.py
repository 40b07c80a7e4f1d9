"""The taxi zones that pickup and dropoff zone ids point to.

Belongs here: the columns of ``taxi_zones``. Does not: reading the published files
(``assets.zones``).

Source: TLC's ``taxi_zone_lookup.csv`` (zones 1 to 265, one row each) and ``taxi_zones.zip`` (a
shapefile of 263 shapes, projected as NAD83 / New York Long Island, EPSG:2263, US survey feet).
A shape belongs to the zone of its ``OBJECTID``. Its ``LocationID`` says 56 for zone 57 and 103 for
zones 104 and 105, in error: New York's GeoJSON of the same shapes has 57, 104 and 105, and trips
do begin and end in zone 57.
"""

from __future__ import annotations

from typing import Final

from taxi_assets.datasets.spec import Column, Type

TAXI_ZONE_COLUMNS: Final[tuple[Column, ...]] = (
    Column(
        "location_id",
        Type.INTEGER,
        "The zone's number, 1 to 265; `pickup_zone_id` and `dropoff_zone_id` point to it.",
        published_as=("LocationID",),
        values={264: "unknown", 265: "outside of New York City"},
    ),
    Column(
        "borough",
        Type.STRING,
        "Borough, `EWR` (Newark Airport), or the words `Unknown` and `N/A` as TLC writes them.",
        published_as=("Borough",),
    ),
    Column(
        "zone",
        Type.STRING,
        "The zone's name; `N/A`, a word and not NULL, for zone 264.",
        published_as=("Zone",),
    ),
    Column(
        "service_zone",
        Type.STRING,
        "Who may answer a hail there; `N/A`, a word and not NULL, for zones 264 and 265.",
        published_as=("service_zone",),
    ),
    Column(
        "geometry_wkt",
        Type.STRING,
        "Outline as well-known text, coordinates as published: EPSG:2263 (NAD83 / New York Long"
        " Island), not longitude and latitude. NULL for 264 and 265, which are no places.",
        published_as=("taxi_zones.shp",),
        unit="US survey feet",
    ),
    Column(
        "shape_area",
        Type.FLOAT,
        "Area as published, which TLC measured on longitude and latitude: good for comparing"
        " zones, not for square feet. NULL for 264 and 265.",
        published_as=("Shape_Area",),
        unit="square degrees",
    ),
)
