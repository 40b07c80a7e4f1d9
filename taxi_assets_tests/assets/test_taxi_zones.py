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
