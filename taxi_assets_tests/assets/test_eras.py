"""All schemas that TLC has published are loaded into one table per dataset."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.cleaning import clean_month
from taxi_assets.datasets import dataset
from taxi_assets.datasets.stored import Part, stored_columns
from taxi_assets.simulator.eras import DATASETS, era_starts
from taxi_assets.simulator.months import write_month
from taxi_assets.warehouse.base import Load, Source
from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse
from taxi_assets.warehouse.tables import table_of

ROWS = 60  # enough for the simulator to include rows to reject in every month


@pytest.mark.parametrize("name", DATASETS)
def test_all_eras_are_loaded_into_one_table(name: str, tmp_path: Path) -> None:
    spec, months = dataset(name), era_starts(name)
    warehouse = DuckDBWarehouse(tmp_path / "taxi.duckdb")
    schemas: dict[Part, set[pa.Schema]] = {part: set() for part in Part}
    for month in months:
        published = tmp_path / spec.file_name(month)
        write_month(name, month, published, rows=ROWS)
        cleaned = clean_month(spec, month, published, tmp_path / str(month))
        files = {Part.TRIPS: cleaned.trips, Part.REJECTS: cleaned.rejects}
        for part, path in files.items():
            schemas[part].add(pq.read_schema(path))
        loads = [Load(table_of(spec, part), _source(path)) for part, path in files.items()]
        loaded = warehouse.replace(loads, month)
        assert sum(each.rows for each in loaded) == ROWS

    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        tables = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
        assert tables == {f"{name}_trips", f"{name}_rejects", "loaded_months"}
        for part in Part:
            assert len(schemas[part]) == 1, schemas[part]
            (schema,) = schemas[part]
            wanted = [column.name for column in stored_columns(spec, part)]
            assert schema.names == wanted
            described = connection.execute(f"DESCRIBE {name}_{part}").fetchall()
            assert [row[0] for row in described] == wanted
        counted = connection.execute(
            f"""SELECT source_month, count(*) FROM (
                SELECT source_month FROM {name}_trips UNION ALL
                SELECT source_month FROM {name}_rejects
            ) GROUP BY 1 ORDER BY 1"""
        ).fetchall()
    assert counted == [(month.first_day, ROWS) for month in months]


@pytest.mark.parametrize("name", DATASETS)
def test_no_published_column_of_any_era_is_lost(name: str, tmp_path: Path) -> None:
    """A column without a mapping would be loaded as NULL."""
    spec = dataset(name)
    for month in era_starts(name):
        published = tmp_path / spec.file_name(month)
        write_month(name, month, published, rows=400)
        cleaned = clean_month(spec, month, published, tmp_path / str(month))
        before, after = pq.read_table(published), pq.read_table(cleaned.trips)
        values = {
            column.name: before.num_rows
            - before[name].null_count
            - cleaned.counts.nulled.get(column.name, 0)
            for column in spec.columns
            for name in column.published_as
            if name in before.column_names
        }
        for column in spec.columns:
            there = after.num_rows - after[column.name].null_count
            assert (there > 0) == (values.get(column.name, 0) > cleaned.counts.rejected), (
                column.name
            )


def _source(path: Path) -> Source:
    return Source(lambda: path)
