"""What a published Parquet file says about itself: its row count and its columns.

The row count is read by Arrow and the columns by DuckDB, which also reads the rows: a month is
never refused for a type that only Arrow sees in it, as Arrow's writers leave hints for Arrow in the
footer (dictionaries, ``string_view``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.cleaning.engine_errors import corrupt
from taxi_assets.cleaning.scan import literal, scan
from taxi_assets.wording import one_line

__all__ = ["PublishedColumn", "published_columns", "published_rows"]


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """A column's name and DuckDB's type of it, such as ``BIGINT`` or ``DECIMAL(9,2)``."""

    name: str
    type: str


def published_rows(source: Path, name: str) -> int:
    """The row count in the footer; raises ``CorruptDownload`` if the footer contradicts itself."""
    try:
        footer = pq.read_metadata(source)
        problem = _contradiction(footer)
    except (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk failed, not the file
        raise corrupt(
            name, f"its Parquet footer cannot be read ({one_line(str(error))})"
        ) from error
    if problem:
        raise corrupt(name, problem)
    rows: int = footer.num_rows
    return rows


def _contradiction(footer: pq.FileMetaData) -> str | None:
    """How the footer's counts disagree; None if they agree."""
    rows = footer.num_rows
    groups = [footer.row_group(each) for each in range(footer.num_row_groups)]
    counts = [group.num_rows for group in groups]
    if rows < 0 or min(counts, default=0) < 0:
        return f"its Parquet footer has a negative row count, {min([rows, *counts]):,}"
    if sum(counts) != rows:
        return f"its Parquet footer says {rows:,} rows, its row groups {sum(counts):,}"
    flat = [
        at for at in range(footer.num_columns) if footer.schema.column(at).max_repetition_level == 0
    ]
    for number, group in enumerate(groups):
        for at in flat:
            values = group.column(at).num_values
            if values != group.num_rows:
                column = one_line(footer.schema.column(at).path, 60)
                return (
                    f"row group {number} has {group.num_rows:,} rows, but {values:,} values of "
                    f"{column}"
                )
    return None


def published_columns(
    connection: duckdb.DuckDBPyConnection, source: Path, name: str
) -> list[PublishedColumn]:
    """The file's columns, in order, with their names as published.

    Raises ``duckdb.Error`` or ``CorruptDownload`` for a damaged footer.
    """
    elements = connection.execute(
        f"SELECT name, num_children, converted_type FROM parquet_schema({literal(str(source))})"
    ).fetchall()
    # DuckDB renames columns that differ in case only, so that names are taken from the schema.
    described = connection.execute(
        f"DESCRIBE SELECT * FROM {scan(source, row_numbers=False)}"
    ).fetchall()
    named = list(_top_level(elements))
    if len(named) != len(described):
        raise corrupt(name, f"its Parquet schema has {len(named)} or {len(described)} columns")
    return [
        PublishedColumn(column, _type(converted, found[1]))
        for (column, converted), found in zip(named, described, strict=True)
    ]


def _top_level(elements: Sequence[tuple[str, int | None, str]]) -> Iterator[tuple[str, str]]:
    """Name and converted type of the children of the root; the schema lists a tree depth first."""
    at = 1
    while at < len(elements):
        name, _, converted = elements[at]
        yield name, converted
        unseen = 1
        while unseen and at < len(elements):
            unseen += (elements[at][1] or 0) - 1
            at += 1


def _type(converted: str | None, found: str) -> str:
    """DuckDB's type, but not the double that it makes of a decimal beyond its own."""
    too_wide = converted == "DECIMAL" and not found.startswith("DECIMAL")
    return "DECIMAL of more than 38 digits" if too_wide else found
