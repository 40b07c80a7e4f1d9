from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import httpx
import pytest
import shapefile

from taxi_assets.simulator.server import Simulator
from taxi_assets.simulator.zones import lookup_csv, shapes_zip


def read_shapes(content: bytes) -> shapefile.Reader:
    archive = zipfile.ZipFile(io.BytesIO(content))
    parts = {suffix: archive.read(f"taxi_zones.{suffix}") for suffix in ("shp", "shx", "dbf")}
    return shapefile.Reader(**{suffix: io.BytesIO(part) for suffix, part in parts.items()})


def read_lookup(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_the_lookup_is_quoted_like_the_real_one(real_tlc: Path) -> None:
    real = (real_tlc / "zones" / "taxi_zone_lookup.csv").read_text().splitlines()
    ours = lookup_csv().decode().splitlines()
    assert len(ours) == len(real) == 266
    assert ours[0] == real[0]
    assert ours[-2:] == real[-2:]  # the rows whose N/A must not become NULL
    assert [line.count('"') for line in ours] == [line.count('"') for line in real]


def test_the_lookup_has_265_zones_with_invented_names(real_tlc: Path) -> None:
    zones = read_lookup(lookup_csv())
    real = read_lookup((real_tlc / "zones" / "taxi_zone_lookup.csv").read_bytes())
    assert [int(zone["LocationID"]) for zone in zones] == list(range(1, 266))
    assert {zone["service_zone"] for zone in zones} == {zone["service_zone"] for zone in real}
    shared = {zone["Zone"] for zone in zones} & {zone["Zone"] for zone in real}
    assert shared == {"N/A", "Outside of NYC"}


def test_the_shapes_have_the_fields_and_the_ids_of_the_real_ones(real_tlc: Path) -> None:
    real = read_shapes((real_tlc / "zones" / "taxi_zones.zip").read_bytes())
    ours = read_shapes(shapes_zip())
    assert [tuple(field) for field in ours.fields[1:]] == [tuple(f) for f in real.fields[1:]]
    ids = [Counter(record["LocationID"] for record in each.records()) for each in (ours, real)]
    assert ids[0] == ids[1]
    assert (sum(ids[0].values()), len(ids[0])) == (263, 260)


def test_the_shapes_are_polygons_within_the_city(real_tlc: Path) -> None:
    real = read_shapes((real_tlc / "zones" / "taxi_zones.zip").read_bytes()).bbox
    ours = read_shapes(shapes_zip())
    assert ours.shapeTypeName == "POLYGON"
    assert real[0] < ours.bbox[0] < ours.bbox[2] < real[2]
    assert real[1] < ours.bbox[1] < ours.bbox[3] < real[3]
    assert {len(shape.parts) for shape in ours.shapes()} == {1, 2, 3}  # holes and islands


def test_the_shapes_have_the_real_projection(real_tlc: Path) -> None:
    real = zipfile.ZipFile(real_tlc / "zones" / "taxi_zones.zip").read("taxi_zones.prj")
    assert zipfile.ZipFile(io.BytesIO(shapes_zip())).read("taxi_zones.prj") == real


def test_shapes_and_lookup_agree_on_names() -> None:
    names = {int(zone["LocationID"]): zone["Zone"] for zone in read_lookup(lookup_csv())}
    for record in read_shapes(shapes_zip()).records():
        assert names[record["LocationID"]] == record["zone"]


def test_the_zip_is_the_same_on_another_day(monkeypatch: pytest.MonkeyPatch) -> None:
    today = shapes_zip()
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert shapes_zip() == today
    dbf = zipfile.ZipFile(io.BytesIO(today)).read("taxi_zones.dbf")
    assert tuple(dbf[1:4]) == (122, 1, 1)


def test_the_zones_are_served(tlc: Simulator, client: httpx.Client) -> None:
    assert client.get("/misc/taxi_zone_lookup.csv").status_code == 403
    tlc.publish_zones()
    assert client.get("/misc/taxi_zone_lookup.csv").content == lookup_csv()
    assert client.get("/misc/taxi_zones.zip").content == shapes_zip()
