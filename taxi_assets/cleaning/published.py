"""What a published Parquet file says about itself: its row count and its columns.

The row count is read by Arrow and the columns by DuckDB, which also reads the rows: a month is
never refused for a type that only Arrow sees in it, as Arrow's writers leave hints for Arrow in the
footer (dictionaries, ``string_view``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.cleaning.csv_files import csv_columns
from taxi_assets.cleaning.engine_errors import ENGINE, corrupt
from taxi_assets.cleaning.scan import literal, scan
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.services import named_errors
from taxi_assets.wording import listed, one_line

__all__ = [
    "PublishedColumn",
    "check_row_counts",
    "published_columns",
    "published_rows",
    "published_types",
]


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """A column's name and DuckDB's type of it, such as ``BIGINT`` or ``DECIMAL(9,2)``."""

    name: str
    type: str


def published_rows(source: Path, name: str) -> int:
    """The row count in the footer; raises ``CorruptDownload`` if it cannot be read.

    Arrow is asked for nothing else: on a damaged footer, its description of a column chunk ends
    the process.
    """
    try:
        rows: int = pq.read_metadata(source).num_rows
    except (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk failed, not the file
        raise corrupt(
            name, f"its Parquet footer cannot be read ({one_line(str(error))})"
        ) from error
    return rows


def check_row_counts(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    rows: int,
    columns: Collection[str],
    name: str,
) -> None:
    """Raise ``CorruptDownload`` if the row groups contradict the footer or their columns.

    ``rows`` is the footer's count. An engine would make up missing values of ``columns``, or leave
    out surplus ones.
    """
    chunks = connection.execute(
        "SELECT row_group_id, row_group_num_rows, path_in_schema, num_values "
        f"FROM parquet_metadata({literal(str(source))}) ORDER BY row_group_id"
    ).fetchall()
    counts = {group: count for group, count, _, _ in chunks}
    if min([rows, *counts.values()]) < 0:
        problem = f"its Parquet footer has a negative row count, {min([rows, *counts.values()]):,}"
        raise corrupt(name, problem)
    if sum(counts.values()) != rows:
        problem = f"its footer says {rows:,} rows, its row groups {sum(counts.values()):,}"
        raise corrupt(name, problem)
    wrong = [
        f"row group {group} has {count:,} rows, but {values:,} values of {column}"
        for group, count, column, values in chunks
        if values != count and column in columns
    ]
    if wrong:
        raise corrupt(name, listed(wrong))


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


def published_types(source: Path) -> dict[str, str]:
    """DuckDB's type of each column by its published name; raises ``CorruptDownload``.

    The columns of CSV are text.
    """
    if FileFormat.of(source.name).is_csv:
        return dict.fromkeys(csv_columns(source), "VARCHAR")
    doing = f"Reading the columns of {source.name}"
    with named_errors(ENGINE, doing), duckdb.connect() as connection:
        columns = published_columns(connection, source, source.name)
    return {column.name: column.type for column in columns}


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
