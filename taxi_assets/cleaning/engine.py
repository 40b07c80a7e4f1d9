"""Clean a month with DuckDB, from file to files, within a memory limit.

``sql`` generates the queries. Measured on 2 cores with 20 million fhvhv-shaped rows (720 MB):
keeping the file's row order takes 1.6 GB and twice as long as writing row groups in any order, so
the order is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from taxi_assets.cleaning.counts import MonthCounts
from taxi_assets.cleaning.mapping import map_columns, published_names
from taxi_assets.cleaning.sql import MonthSql
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.datasets.stored import Part
from taxi_assets.errors import UncastableValue

__all__ = ["CleanedMonth", "clean_month"]


@dataclass(frozen=True, slots=True)
class CleanedMonth:
    """Two Parquet files with every published row once, and their counts.

    ``published_names`` maps each canonical column to its published name in the file.
    """

    spec: DatasetSpec
    month: Month
    trips: Path
    rejects: Path
    counts: MonthCounts
    published_names: Mapping[str, str]


def clean_month(
    spec: DatasetSpec,
    month: Month,
    source: Path,
    folder: Path,
    *,
    source_file: str | None = None,
    memory_limit: str = "512MB",
    threads: int | None = None,
) -> CleanedMonth:
    """Clean the published Parquet file ``source`` into two files in ``folder``.

    ``source_file`` is the published name, if that of ``source`` differs. ``memory_limit`` bounds
    DuckDB's own memory; ``threads`` defaults to the number of cores.

    Raises ``SchemaMismatch`` or ``UncastableValue``, which name the file to edit; ``folder`` may
    then contain an incomplete file.
    """
    name = source_file or source.name
    metadata = pq.read_metadata(source)
    schema = metadata.schema.to_arrow_schema()
    mapped = map_columns(spec, month, schema, name)
    sql = MonthSql(spec, month, mapped, source, name)
    folder.mkdir(parents=True, exist_ok=True)
    with _connect(folder, memory_limit, threads) as connection:
        _refuse_cast_failures(connection, sql)
        trips = _write(connection, sql, Part.TRIPS, folder)
        rejects = _write(connection, sql, Part.REJECTS, folder)
        return CleanedMonth(
            spec=spec,
            month=month,
            trips=trips,
            rejects=rejects,
            counts=MonthCounts(
                published=metadata.num_rows,
                clean=pq.read_metadata(trips).num_rows,
                rejected=pq.read_metadata(rejects).num_rows,
                reasons=_by_name(connection, rejects, "reject_reasons"),
                flags=_by_name(connection, trips, "quality_flags"),
                per_day=_per_day(connection, trips, spec.pickup, month),
            ),
            published_names=published_names(spec, [field.name for field in schema]),
        )


def _connect(folder: Path, memory_limit: str, threads: int | None) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": False,
    }
    if threads:
        config["threads"] = threads
    connection = duckdb.connect(config=config)
    connection.execute("SET enable_progress_bar = false")
    # With statistics, DuckDB writes a column without any NULL as NOT NULL, and the months of one
    # dataset would differ in their schema.
    connection.execute("SET disabled_optimizers = 'statistics_propagation'")
    return connection


def _refuse_cast_failures(connection: duckdb.DuckDBPyConnection, sql: MonthSql) -> None:
    if not sql.cast_failures:
        return
    counts = connection.execute(sql.count_cast_failures()).fetchone()
    assert counts is not None
    by_name = {each.column.name: each for each in sql.mapped}
    found = []
    for name, count in zip(sql.cast_failures, counts, strict=True):
        if count:
            mapped = by_name[name]
            first = connection.execute(sql.first_cast_failure(mapped)).fetchone()
            assert first is not None
            found.append(
                f"{mapped.published} has the {mapped.kind} value {first[1]!r} in row {first[0]} "
                f"({count} such {'value' if count == 1 else 'values'}), which does not fit "
                f"{name} ({mapped.column.type})"
            )
    if found:
        raise UncastableValue(
            f"{sql.source_file} has values that do not fit the specification of "
            f"{sql.spec.name} for {sql.month}: {'; '.join(found)}. Nothing was stored.",
            f"Add the codes or change the type in taxi_assets/datasets/{sql.spec.name}.py and run "
            "the month again.",
        )


def _write(connection: duckdb.DuckDBPyConnection, sql: MonthSql, part: Part, folder: Path) -> Path:
    path = folder / f"{part}.parquet"
    target = str(path).replace("'", "''")
    connection.execute(f"COPY ({sql.rows(part)}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    return path


def _by_name(connection: duckdb.DuckDBPyConnection, path: Path, column: str) -> dict[str, int]:
    rows = connection.execute(
        f"""
        SELECT name, sum(n)::BIGINT FROM (
            SELECT unnest(string_split({column}, ',')) AS name, n
            FROM (SELECT {column}, count(*) AS n FROM read_parquet(?) GROUP BY 1)
        ) GROUP BY 1 ORDER BY 2 DESC, 1""",
        [str(path)],
    ).fetchall()
    return dict(rows)


def _per_day(
    connection: duckdb.DuckDBPyConnection, path: Path, pickup: str, month: Month
) -> tuple[int, ...]:
    rows = connection.execute(
        f"SELECT day({pickup}), count(*) FROM read_parquet(?) "
        f"WHERE {pickup} >= ? AND {pickup} < ? GROUP BY 1",
        [str(path), month.first_day, month.plus(1).first_day],
    ).fetchall()
    found: dict[int, int] = dict(rows)
    return tuple(found.get(day, 0) for day in range(1, month.days + 1))
