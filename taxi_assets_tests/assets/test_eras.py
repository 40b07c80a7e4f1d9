"""All schemas that TLC has published, and mixtures of them, are loaded into one table per dataset.

Each month equals its independent reimplementation.
"""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from taxi_assets.cleaning import CleanedMonth, clean_month
from taxi_assets.datasets import Month, dataset, months_between
from taxi_assets.datasets.stored import Part, stored_columns
from taxi_assets.frames import to_frame
from taxi_assets.simulator.eras import DATASETS, era_starts
from taxi_assets.simulator.months import write_month
from taxi_assets.warehouse.base import Load, Source
from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse
from taxi_assets.warehouse.tables import table_of
from taxi_assets_tests.assets import by_hand

ROWS = 60  # enough for the simulator to include rows to reject in every month


@pytest.mark.parametrize("name", DATASETS)
def test_all_eras_are_loaded_into_one_table(name: str, tmp_path: Path) -> None:
    spec, months = dataset(name), era_starts(name)
    warehouse = DuckDBWarehouse(tmp_path / "taxi.duckdb")
    schemas: dict[Part, set[pa.Schema]] = {part: set() for part in Part}
    for month in months:
        published = tmp_path / spec.file_name(month)
        write_month(name, month, published, rows=ROWS)
        cleaned = _cleaned_as_by_hand(name, month, published)
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


@pytest.mark.parametrize("mixtures", [4, pytest.param(40, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", DATASETS)
def test_any_mixture_of_types_is_loaded_into_one_table(
    name: str, mixtures: int, tmp_path: Path
) -> None:
    """A month's file may have each column as any type that TLC has published anywhere."""
    rng = random.Random(f"{name} {mixtures}")
    warehouse = DuckDBWarehouse(tmp_path / "taxi.duckdb")
    months = rng.sample(list(months_between(era_starts(name)[0], Month(2026, 8))), mixtures)
    for month in months:
        published = tmp_path / dataset(name).file_name(month)
        write_month(name, month, published, rows=ROWS)
        pq.write_table(_mixed(rng, name, pq.read_table(published)), published)
        cleaned = _cleaned_as_by_hand(name, month, published)
        files = {Part.TRIPS: cleaned.trips, Part.REJECTS: cleaned.rejects}
        loads = [Load(table_of(dataset(name), part), _source(path)) for part, path in files.items()]
        assert sum(each.rows for each in warehouse.replace(loads, month)) == ROWS
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        counted = connection.execute(
            f"SELECT (SELECT count(*) FROM {name}_trips) + (SELECT count(*) FROM {name}_rejects)"
        ).fetchall()
    assert counted == [(mixtures * ROWS,)]


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


def _cleaned_as_by_hand(name: str, month: Month, published: Path) -> CleanedMonth:
    cleaned = clean_month(dataset(name), month, published, published.with_suffix(""))
    trips, rejects = by_hand.clean(name, str(month), pq.read_table(published))
    by_hand.assert_same_rows(to_frame(pq.read_table(cleaned.trips)), trips)
    by_hand.assert_same_rows(to_frame(pq.read_table(cleaned.rejects)), rejects)
    return cleaned


def _mixed(rng: random.Random, name: str, rows: pa.Table) -> pa.Table:
    """The rows with each column as a type drawn from those that can hold it, or without values."""
    layout = [line.split() for line in by_hand.LAYOUTS[name].splitlines() if line]
    numeric = {each for line in layout if line[1] in ("int", "float") for each in line[2:]}
    pickup = next(line for line in layout if line[0] == "pickup_at")
    columns = {}
    for field in rows.schema:
        kinds: list[pa.DataType] = [pa.string(), pa.large_string()]
        if field.name not in pickup:  # all rows would be rejected
            kinds.append(pa.null())
        if pa.types.is_timestamp(field.type):
            kinds.append(field.type)
        elif field.name in numeric or pa.types.is_primitive(field.type):
            kinds += [pa.int32(), pa.int64(), pa.float64()]
        columns[field.name] = _as(rows[field.name].combine_chunks(), rng.choice(kinds))
    return pa.table(columns)


def _as(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_null(kind):
        return pa.nulls(len(values))
    if pa.types.is_integer(kind) and pa.types.is_floating(values.type):
        values = pc.round(values)
    return values.cast(kind)


def _source(path: Path) -> Source:
    return Source(lambda: path)
