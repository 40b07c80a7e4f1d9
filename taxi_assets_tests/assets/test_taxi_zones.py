"""The taxi zones from the real lookup and shapefile, and from corrupt files."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapely import from_wkt

from taxi_assets.assets import zones as assets_zones
from taxi_assets.cleaning.zones import read_zones
from taxi_assets.errors import CorruptDownload
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
