"""The taxi zones from the real lookup and shapefile, and from corrupt files."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapely import from_wkt

from taxi_assets.cleaning.zones import read_zones
from taxi_assets.errors import CorruptDownload
from taxi_assets.simulator.zones import lookup_csv, shapes_zip


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


@pytest.mark.parametrize("broken", ["lookup", "shapes"])
def test_other_files_are_corrupt_downloads(broken: str, tmp_path: Path) -> None:
    lookup, shapes = tmp_path / "taxi_zone_lookup.csv", tmp_path / "taxi_zones.zip"
    lookup.write_bytes(b"a,b\n1,2\n" if broken == "lookup" else lookup_csv())
    shapes.write_bytes(b"PK no zip" if broken == "shapes" else shapes_zip())
    with pytest.raises(CorruptDownload, match=r"cannot be read: .*lake_zones again"):
        read_zones(lookup, shapes)
