"""The taxi zones from the real lookup and shapefile, and from corrupt files."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shapely import Point, from_wkb, from_wkt
from shapely.geometry import shape

from taxi_assets.assets import zones as assets_zones
from taxi_assets.cleaning.zones import read_zones
from taxi_assets.errors import CorruptDownload
from taxi_assets.lake import keys
from taxi_assets.simulator.server import Simulator
from taxi_assets.simulator.zones import LOOKUP, lookup_csv, shapes_zip
from taxi_assets_tests.assets.platform import Platform


def test_the_real_zones(real_tlc: Path) -> None:
    zones = real_tlc / "zones"
    table = read_zones(zones / "taxi_zone_lookup.csv", zones / "taxi_zones.zip")
    rows = {row["location_id"]: row for row in table.to_pylist()}
    assert sorted(rows) == list(range(1, 266))
    assert (rows[1]["borough"], rows[1]["zone"]) == ("EWR", "Newark Airport")
    # TLC's names for an unknown place are kept as text, not NULL.
    assert rows[264]["borough"] == "Unknown"
    assert (rows[264]["zone"], rows[265]["borough"]) == ("N/A", "N/A")
    shaped = {number for number, row in rows.items() if row["geometry_wkt"] is not None}
    assert shaped == set(range(1, 264))
    # In the shapefile zones 57, 104 and 105 have another zone's LocationID; each has its outline.
    outlines = {number: rows[number]["geometry_wkt"] for number in (56, 57, 103, 104, 105)}
    assert len(set(outlines.values())) == 5
    assert all(from_wkt(rows[number]["geometry_wkt"]).is_valid for number in shaped)


@pytest.mark.parametrize(
    ("lookup", "shapes"),
    [
        (b"a,b\n1,2\n", shapes_zip()),
        (b"", shapes_zip()),
        (lookup_csv().splitlines()[0], shapes_zip()),
        (b"\xff" * 10_000, shapes_zip()),
        (lookup_csv(), b"PK no zip"),
        *(
            (lookup_csv(), shapes_zip()[:at] + b"damage" + shapes_zip()[at + 6 :])
            for at in (99, 999)
        ),
    ],
    ids=["columns", "empty", "no zones", "no text", "no zip", "damaged", "damaged later"],
)
def test_other_files_are_corrupt_downloads(lookup: bytes, shapes: bytes, tmp_path: Path) -> None:
    files = tmp_path / "taxi_zone_lookup.csv", tmp_path / "taxi_zones.zip"
    for path, content in zip(files, (lookup, shapes), strict=True):
        path.write_bytes(content)
    with pytest.raises(
        CorruptDownload, match=r"cannot be read \(.*\)\..*lake_zones again"
    ) as caught:
        read_zones(*files)
    assert len(str(caught.value)) < 400


BOTH = "key:lake_zones or key:taxi_zones"


def test_zones_are_refreshed_only_if_tlc_changed_a_file(tlc: Simulator, tmp_path: Path) -> None:
    tlc.publish_zones()
    platform = Platform(tmp_path / "home", tlc.url)
    assert platform.run(BOTH).success
    first = platform.everything_stored()
    version = platform.version("lake_zones")
    for _ in range(2):
        assert platform.run(BOTH).success
    assert [each.status for each in tlc.requests] == [200, 200, 304, 304, 304, 304]
    assert platform.everything_stored() == first
    assert platform.version("lake_zones") == version
    lookup = tmp_path / "site" / "misc" / LOOKUP
    lookup.write_bytes(lookup.read_bytes().replace(b"Outside of NYC", b"Elsewhere"))
    assert platform.run(BOTH).success
    # The changed file is downloaded once, and the other one because both are read together.
    assert [each.status for each in tlc.requests][6:] == [200, 304, 200]
    assert platform.version("lake_zones") != version
    assert platform.query("SELECT zone FROM taxi_zones WHERE location_id = 265") == [("Elsewhere",)]


def test_unchanged_zones_are_read_again_on_request_or_by_another_release(
    tlc: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tlc.publish_zones()
    platform = Platform(tmp_path / "home", tlc.url)
    assert platform.run(BOTH).success
    assert platform.run(BOTH, config={"lake_zones": {"redo": True}}).success
    assert [each.status for each in tlc.requests] == [200, 200, 200, 200]
    monkeypatch.setattr(assets_zones, "ZONES_VERSION", "another")
    assert platform.run(BOTH).success
    assert [each.status for each in tlc.requests] == [200] * 6


def test_outlines_in_degrees_are_those_that_new_york_publishes(
    real_tlc: Path, tmp_path: Path
) -> None:
    zones = real_tlc / "zones"
    path = tmp_path / "zones.parquet"
    pq.write_table(read_zones(zones / "taxi_zone_lookup.csv", zones / "taxi_zones.zip"), path)
    features = json.loads((zones / "NYC_Taxi_Zones.geojson").read_text("utf-8"))["features"]
    published = {f["properties"]["LocationID"]: shape(f["geometry"]) for f in features}
    rows = {row["location_id"]: row for row in pq.read_table(path).to_pylist()}
    assert len(published) == 263
    for number, theirs in published.items():
        row = rows[number]
        ours = from_wkb(row["geometry"])
        assert ours.is_valid
        assert ours.normalize().equals_exact(theirs.normalize(), 1e-9)
        assert ours.contains(Point(row["longitude"], row["latitude"]))
        assert all(each.exterior.is_ccw for each in getattr(ours, "geoms", [ours]))
    assert {rows[264]["geometry"], rows[264]["longitude"], rows[265]["latitude"]} == {None}


def test_the_lakes_zones_are_geoparquet(tlc: Simulator, tmp_path: Path) -> None:
    tlc.publish_zones()
    platform = Platform(tmp_path / "home", tlc.url)
    assert platform.run("key:lake_zones").success
    path = str(tmp_path / "home" / "lake" / keys.ZONES)
    # DuckDB knows the type only by the file's metadata.
    query = f"SELECT any_value(typeof(geometry)), count(geometry) FROM '{path}'"
    assert duckdb.execute(query).fetchall() == [("GEOMETRY('OGC:CRS84')", 263)]


def test_the_table_of_zones_has_typed_outlines_and_comments(tlc: Simulator, tmp_path: Path) -> None:
    tlc.publish_zones()
    platform = Platform(tmp_path / "home", tlc.url)
    assert platform.run(BOTH).success
    columns = platform.query(
        "SELECT column_name, data_type, comment FROM duckdb_columns() "
        "WHERE table_name = 'taxi_zones'"
    )
    assert {name: type_ for name, type_, _ in columns}["geometry"] == "GEOMETRY"
    assert all(comment for *_, comment in columns)
    lake = pq.read_table(tmp_path / "home" / "lake" / keys.ZONES).to_pylist()
    table: dict[int, bytes] = dict(
        platform.query("SELECT location_id, ST_AsWKB(geometry) FROM taxi_zones")
    )
    assert table == {row["location_id"]: row["geometry"] for row in lake}
    read = platform.load(["taxi_zones"], pa.Table).to_pylist()
    texts = {row["location_id"]: row["geometry"] for row in read}
    assert all(from_wkt(texts[each]).equals(from_wkb(table[each])) for each in range(1, 264))
