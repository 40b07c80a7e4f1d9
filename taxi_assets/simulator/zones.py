"""``taxi_zone_lookup.csv`` and ``taxi_zones.zip``, with invented names and a grid of squares."""

from __future__ import annotations

import csv
import io
import zipfile

import shapefile

from taxi_assets.simulator.places import AIRPORTS, NEWARK, OUTSIDE, UNKNOWN, ZONES

__all__ = ["LOOKUP", "SHAPES", "lookup_csv", "shapes_zip"]

LOOKUP = "taxi_zone_lookup.csv"
SHAPES = "taxi_zones.zip"

_BOROUGHS = ("Northbank", "Eastmoor", "Southgate", "Westhaven", "Midisland")
_FIRST = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fern", "Gorse", "Hazel", "Ivy", "Juniper")
_LAST = ("Heights", "Park", "Hill", "Village", "Slope", "Point", "Square", "Gardens", "Terrace")

# As in TLC's shapefile, some shapes have the ID of another: 263 shapes, 260 IDs.
_SHAPE_IDS = {57: 56, 104: 103, 105: 103}
_COLUMNS_OF_GRID = 18
_SIDE = 3_000.0  # feet
_ORIGIN = (930_000.0, 140_000.0)  # feet east and north, within New York

# State plane coordinates of New York Long Island in US feet (EPSG:2263), as in the real file.
_PROJECTION = (
    'PROJCS["NAD_1983_StatePlane_New_York_Long_Island_FIPS_3104_Feet",'
    'GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",'
    'SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],'
    'PARAMETER["False_Easting",984250.0],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",-74.0],PARAMETER["Standard_Parallel_1",40.66666666666666],'
    'PARAMETER["Standard_Parallel_2",41.03333333333333],'
    'PARAMETER["Latitude_Of_Origin",40.16666666666666],UNIT["Foot_US",0.3048006096012192]]'
)

Ring = list[tuple[float, float]]


def lookup_csv() -> bytes:
    """265 zones as CSV: numbers unquoted, text quoted, ``N/A`` for unknown values."""
    text = io.StringIO()
    rows = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerow(["LocationID", "Borough", "Zone", "service_zone"])
    for zone in range(1, UNKNOWN):
        rows.writerow([zone, _borough(zone), _name(zone), _service_zone(zone)])
    rows.writerow([UNKNOWN, "Unknown", "N/A", "N/A"])
    rows.writerow([OUTSIDE, "N/A", "Outside of NYC", "N/A"])
    return text.getvalue().encode()


def shapes_zip() -> bytes:
    """A zipped shapefile of 263 polygons with 260 location IDs."""
    parts = {suffix: io.BytesIO() for suffix in ("shp", "shx", "dbf")}
    with shapefile.Writer(shapeType=shapefile.POLYGON, **parts) as writer:
        writer.field("OBJECTID", "N", 9)
        writer.field("Shape_Leng", "F", 19, 11)
        writer.field("Shape_Area", "F", 19, 11)
        writer.field("zone", "C", 254)
        writer.field("LocationID", "N", 4)
        writer.field("borough", "C", 254)
        for shape in range(1, UNKNOWN):
            zone = _SHAPE_IDS.get(shape, shape)
            writer.poly(_rings(shape))
            writer.record(
                shape, 4 * _SIDE / 364_000, (_SIDE / 364_000) ** 2, _name(zone), zone,
                _borough(zone),
            )  # fmt: skip
    files = {suffix: part.getvalue() for suffix, part in parts.items()}
    # Bytes 1 to 3 of a dbf are the date of writing, which would change the ETag every day.
    files["dbf"] = files["dbf"][:1] + bytes((122, 1, 1)) + files["dbf"][4:]
    files["prj"] = _PROJECTION.encode()
    return _zipped({f"taxi_zones.{suffix}": content for suffix, content in files.items()})


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(2022, 1, 1, 0, 0, 0))
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _borough(zone: int) -> str:
    return "EWR" if zone == NEWARK else _BOROUGHS[zone % len(_BOROUGHS)]


def _name(zone: int) -> str:
    if zone in (NEWARK, *AIRPORTS):
        return f"Airfield {zone}"
    zone = _SHAPE_IDS.get(zone, zone)  # zones that share a shape ID share a name too
    first, rest = zone % len(_FIRST), zone // len(_FIRST)
    last = _LAST[rest % len(_LAST)]
    suffix = ("", " North", "/Old Mill")[rest // len(_LAST)]
    return f"{_FIRST[first]} {last}{suffix}"


def _service_zone(zone: int) -> str:
    if zone == NEWARK:
        return "EWR"
    if zone in AIRPORTS:
        return "Airports"
    return "Yellow Zone" if _borough(zone) == _BOROUGHS[-1] else "Boro Zone"


def _rings(shape: int) -> list[Ring]:
    """A square of the grid; every tenth has a hole, every twenty-fifth an island."""
    row, column = divmod(shape - 1, _COLUMNS_OF_GRID)
    west, south = _ORIGIN[0] + column * _SIDE, _ORIGIN[1] + row * _SIDE
    rings = [_square(west, south, _SIDE * 0.8)]
    if shape % 10 == 0:
        # Counter-clockwise, which makes it a hole.
        rings.append(_square(west + 600, south + 600, 500)[::-1])
    if shape % 25 == 0:
        rings.append(_square(west + _SIDE * 0.85, south, _SIDE * 0.1))
    return rings


def _square(west: float, south: float, side: float) -> Ring:
    """Clockwise and closed, like the outer rings of shapefiles."""
    north, east = south + side, west + side
    return [(west, south), (west, north), (east, north), (east, south), (west, south)]


assert len(_FIRST) * len(_LAST) * 3 > ZONES, "every zone needs a unique name"
