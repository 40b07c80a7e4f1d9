"""The columns of the taxi zones agree with the published files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import shapefile

from taxi_assets.datasets import TAXI_ZONE_COLUMNS
from taxi_assets.datasets.rules import LAST_ZONE

ZONES = Path(__file__).resolve().parents[3] / "shared" / "tlc" / "zones"


@pytest.fixture(scope="module")
def shapes() -> Iterator[shapefile.Reader]:
    if not ZONES.exists():
        pytest.skip("no real data")
    with shapefile.Reader(str(ZONES / "taxi_zones.zip")) as reader:
        yield reader


def test_the_columns_are_those_of_the_table() -> None:
    assert [column.name for column in TAXI_ZONE_COLUMNS] == [
        "location_id",
        "borough",
        "zone",
        "service_zone",
        "longitude",
        "latitude",
        "geometry",
        "geometry_wkt",
        "shape_area",
    ]


def test_the_lookup_has_the_published_names_and_a_row_for_every_zone() -> None:
    if not ZONES.exists():
        pytest.skip("no real data")
    with (ZONES / "taxi_zone_lookup.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert set(rows[0]) == {name for c in TAXI_ZONE_COLUMNS[:4] for name in c.published_as}
    assert [int(row["LocationID"]) for row in rows] == list(range(1, LAST_ZONE + 1))
    assert [row["Zone"] for row in rows if "N/A" in row.values()] == ["N/A", "Outside of NYC"]


def test_a_shape_belongs_to_the_zone_of_its_object_id(shapes: shapefile.Reader) -> None:
    features = json.loads((ZONES / "NYC_Taxi_Zones.geojson").read_text("utf-8"))["features"]
    areas = {f["properties"]["LocationID"]: f["properties"]["Shape_Area"] for f in features}
    records = {record["OBJECTID"]: record for record in shapes.records()}
    assert sorted(records) == sorted(areas) == list(range(1, 264))
    assert all(abs(areas[zone] - records[zone]["Shape_Area"]) < 1e-9 for zone in areas)
    wrong = {z: r["LocationID"] for z, r in records.items() if z != r["LocationID"]}
    assert wrong == {57: 56, 104: 103, 105: 103}


def test_outlines_are_in_feet_and_areas_in_degrees(shapes: shapefile.Reader) -> None:
    west, south, east, north = shapes.bbox
    assert 900_000 < west < east < 1_070_000
    assert 110_000 < south < north < 275_000
    assert max(record["Shape_Area"] for record in shapes.records()) < 0.01
