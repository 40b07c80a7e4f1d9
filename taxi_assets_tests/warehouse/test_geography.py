"""Outlines in the engines that the other tests of the zones do not use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from shapely import from_wkb, from_wkt

from taxi_assets.cleaning.zones import read_zones
from taxi_assets.simulator.zones import lookup_csv, shapes_zip
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.warehouse.io_manager import WarehouseIOManager


@pytest.fixture
def zones(tmp_path: Path) -> pa.Table:
    """The zones as the lake has them."""
    lookup, shapes = tmp_path / "lookup.csv", tmp_path / "shapes.zip"
    lookup.write_bytes(lookup_csv())
    shapes.write_bytes(shapes_zip())
    return read_zones(lookup, shapes)


@contextmanager
def loaded(url: str, zones: pa.Table, scratch: Path) -> Iterator[pa.Table]:
    """Load the zones over those of the release without degrees; what is read of them."""
    earlier = zones.drop_columns(["longitude", "latitude", "geometry"])
    warehouse = open_warehouse(url)
    with closing(WarehouseIOManager(warehouse, scratch=str(scratch))) as manager:
        for each in (earlier, zones, zones):
            manager.store(["taxi_zones"], None, each)
        with warehouse.read("taxi_zones", months=None, columns=None) as reader:
            yield reader.read_all()


def outlines(zones: pa.Table) -> dict[int, Any]:
    return {row["location_id"]: row["geometry"] for row in zones.to_pylist() if row["geometry"]}


def test_bigquery_gets_geography(bigquery_url: str, zones: pa.Table, tmp_path: Path) -> None:
    with loaded(bigquery_url, zones, tmp_path) as read:
        texts = outlines(read)
    expected = outlines(zones)
    assert texts.keys() == expected.keys()
    assert all(from_wkt(texts[each]).equals(from_wkb(expected[each])) for each in expected)
    project, _, dataset = bigquery_url.removeprefix("bigquery://").partition("/")
    client = bigquery.Client(project, AnonymousCredentials())  # type: ignore[no-untyped-call]  # by Google
    table = client.get_table(f"{project}.{dataset}.taxi_zones")
    assert {field.name: field.field_type for field in table.schema}["geometry"] == "GEOGRAPHY"
    assert all(field.description for field in table.schema)


def test_postgres_gets_what_postgis_casts(
    postgres_url: str, zones: pa.Table, tmp_path: Path
) -> None:
    with loaded(postgres_url, zones, tmp_path) as read:
        assert {each: bytes.fromhex(text) for each, text in outlines(read).items()} == outlines(
            zones
        )
    with psycopg.connect(postgres_url) as connection:
        comments = connection.execute(
            "SELECT col_description('taxi_zones'::regclass, attnum) FROM pg_attribute "
            "WHERE attrelid = 'taxi_zones'::regclass AND attnum > 0"
        ).fetchall()
    assert len(comments) == len(zones.column_names)
    assert all(comment for (comment,) in comments)
