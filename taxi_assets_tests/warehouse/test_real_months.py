"""Real months of green, as published by TLC, have the same rows in every warehouse."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.warehouse.base import Load, Source, Warehouse
from taxi_assets.warehouse.tables import Table, table_from_schema

PUBLISHED = Path(__file__).parents[3] / "shared" / "tlc" / "trip-data"
# The columns are those of 2024-12, the months are loaded newest first.
MONTHS = (Month(2024, 12), Month(2023, 4))

pytestmark = pytest.mark.skipif(not PUBLISHED.exists(), reason="no real data")


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> dict[Month, Path]:
    """Each published file with its ``source_month``, in the newest one's types."""
    folder = tmp_path_factory.mktemp("months")
    table = _table()
    files = {}
    for month in MONTHS:
        rows = pq.read_table(PUBLISHED / f"green_tripdata_{month}.parquet")
        days = pa.array([month.first_day] * rows.num_rows, pa.date32())
        rows = rows.append_column("source_month", days).select(table.column_names)
        files[month] = folder / f"{month}.parquet"
        pq.write_table(rows.cast(table.arrow_schema), files[month])
    return files


def test_every_column_of_every_month_matches_the_file(
    warehouse: Warehouse, months: dict[Month, Path]
) -> None:
    table = _table()
    for month, path in months.items():
        (loaded,) = warehouse.replace([Load(table, Source(partial(Path, path)))], month)
        published = pq.read_metadata(PUBLISHED / f"green_tripdata_{month}.parquet")
        assert loaded.rows == published.num_rows
    for month, path in months.items():
        with warehouse.read(table.name, months=[month], columns=None) as reader:
            assert _facts(reader.read_all(), table) == _facts(pq.read_table(path), table)
        assert warehouse.count(table.name, month) == pq.read_metadata(path).num_rows


def _table() -> Table:
    schema = pq.read_schema(PUBLISHED / f"green_tripdata_{MONTHS[0]}.parquet")
    schema = schema.append(pa.field("source_month", pa.date32())).remove_metadata()
    return table_from_schema("green_trips", schema, monthly=True)


def _facts(rows: pa.Table, table: Table) -> dict[str, Any]:
    """Count, minimum, maximum and the exact sum of each column, computed by DuckDB in memory."""
    parts = []
    for column in table.columns:
        name = f'"{column.name}"'
        parts += [f"count({name})", f"min({name})", f"max({name})"]
        if column.type in (Type.INTEGER, Type.FLOAT):
            # As decimals, because the sum of doubles depends on the order of the rows.
            parts.append(f"sum({name}::DECIMAL(38, 9))")
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        values = connection.execute(f"SELECT {', '.join(parts)}, count(*) FROM rows").fetchone()
    assert values is not None
    return dict(zip([*parts, "count(*)"], values, strict=True))
