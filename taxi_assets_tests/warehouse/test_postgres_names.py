"""Names that PostgreSQL would cut off, or that a partition has, are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from taxi_assets.datasets.spec import Type
from taxi_assets.errors import Misconfigured, TableSchemaConflict
from taxi_assets.warehouse.postgres import PostgresWarehouse
from taxi_assets.warehouse.tables import Table, TableColumn
from taxi_assets_tests.warehouse.months import JANUARY, TRIPS, load, rows_of, trips

WHOLE = replace(TRIPS, monthly=False)


@pytest.fixture
def warehouse(postgres_url: str) -> PostgresWarehouse:
    return PostgresWarehouse(postgres_url)


def _tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        )
        return [str(name) for (name,) in found.fetchall()]


@pytest.mark.parametrize(
    ("table", "monthly"),
    [("x" * 57, True), ("x" * 64, True), ("x" * 64, False), ("é" * 32, False)],
)
def test_a_table_name_that_is_too_long_is_refused_before_anything_is_made(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path, table: str, monthly: bool
) -> None:
    named = replace(TRIPS, name=table, monthly=monthly)
    month = JANUARY if monthly else None
    with pytest.raises(Misconfigured, match=r"has a name of \d+ bytes, and PostgreSQL permits 63"):
        load(warehouse, tmp_path, trips([1]), month, named)
    assert _tables(postgres_url) == []


def test_the_longest_names_are_loaded_and_read(
    warehouse: PostgresWarehouse, tmp_path: Path
) -> None:
    for table, month in (
        (replace(TRIPS, name="m" * 56), JANUARY),
        (replace(WHOLE, name="w" * 63), None),
    ):
        load(warehouse, tmp_path, trips([1]), month, table)
        load(warehouse, tmp_path, trips([1, 2]), month, table)
        assert len(rows_of(warehouse, table.name)) == 2


def test_a_column_name_that_is_too_long_is_refused(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    table = Table("wide", "", (TableColumn("c" * 64, Type.INTEGER),), monthly=False)
    with pytest.raises(Misconfigured, match="Column of table wide"):
        load(warehouse, tmp_path, [{"c" * 64: 1}], None, table)
    assert _tables(postgres_url) == []


def test_a_cut_off_name_does_not_read_another_table(
    warehouse: PostgresWarehouse, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]), None, replace(WHOLE, name="w" * 63))
    with pytest.raises(Misconfigured, match="has a name of 64 bytes"):
        rows_of(warehouse, "w" * 64)


def test_a_partition_is_not_replaced_as_a_table_of_its_own(
    warehouse: PostgresWarehouse, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    with pytest.raises(TableSchemaConflict, match="is a month of the table green_trips"):
        load(warehouse, tmp_path, trips([2]), None, replace(WHOLE, name="green_trips_202401"))
    assert [row["zone"] for row in rows_of(warehouse)] == [1]
