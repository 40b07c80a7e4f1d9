"""Write and read rows in PostgreSQL: Arrow batches through COPY, as CSV.

CSV preserves every value: both sides write doubles in their shortest exact form, NULL is an empty
field and an empty string is ``""``.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from psycopg import sql
from pyarrow import csv

from taxi_assets.errors import UncastableValue
from taxi_assets.machine_errors import named_machine_errors
from taxi_assets.warehouse.postgres_schema import QualifiedName
from taxi_assets.warehouse.sources import unreadable
from taxi_assets.wording import one_line

__all__ = ["copy_in", "copy_out"]

_BATCH_ROWS = 64_000
_BLOCK = 4 << 20  # bytes of CSV parsed at a time


def copy_in(
    connection: psycopg.Connection, name: QualifiedName, path: Path, schema: pa.Schema
) -> int:
    """Append a Parquet file's rows, by column name; return their number.

    Raises ``AuditFailed`` if the file is damaged, ``UncastableValue`` for a time that has no form
    in CSV that everybody reads.
    """
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        name.identifier, sql.SQL(", ").join(map(sql.Identifier, schema.names))
    )
    rows = 0
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for batch in _file_batches(path, schema):
            _check_years(batch, path)
            buffer = io.BytesIO()
            csv.write_csv(batch, buffer, csv.WriteOptions(include_header=False))
            copy.write(buffer.getbuffer())
            rows += batch.num_rows
    return rows


def _file_batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    try:
        with named_machine_errors(f"Reading {path}"), pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH_ROWS, columns=schema.names):
                yield batch.select(schema.names).cast(schema)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(str(path), error) from error


def _check_years(batch: pa.RecordBatch, path: Path) -> None:
    """Raise ``UncastableValue`` for a year that ISO 8601, and Python's dates, do not have.

    PostgreSQL would store it, and no reader could read the month any more.
    """
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not pa.types.is_temporal(column.type) or column.null_count == len(column):
            continue
        # As numbers: Arrow's own calendar wraps around beyond the year 32767.
        found = pc.min_max(column)
        first, last = (
            pa.scalar(bound, pa.timestamp("us")).cast(column.type).value
            for bound in (datetime.min, datetime.max)  # noqa: DTZ901 - naive by design
        )
        if found["min"].value < first or found["max"].value > last:
            raise UncastableValue(
                f"Column {name} of {path} has a time outside of the years 1 to 9999.",
                "Correct it. Nothing was loaded.",
            )


def copy_out(
    connection: psycopg.Connection, query: sql.Composable, schema: pa.Schema
) -> Generator[pa.RecordBatch, None, None]:
    """Stream a query's rows as batches of ``schema``, one block in memory at a time.

    Close it to stop early. It does not read ahead, so the connection is not used between batches.
    Raises ``UncastableValue`` for a value that Arrow has no form of, such as an infinite time.
    """
    command = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(query)
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        block: list[bytes] = []
        size = 0
        for row in copy:  # one message per row, by the protocol
            block.append(bytes(row))
            size += len(row)
            if size >= _BLOCK:
                yield from _parsed(block, schema)
                block, size = [], 0
        if block:
            yield from _parsed(block, schema)


def _parsed(block: Sequence[bytes], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    content = b"".join(block)
    try:
        table = _table(content, schema)
    except pa.ArrowException as error:
        raise UncastableValue(
            f"A value in PostgreSQL does not fit its column here ({one_line(str(error))}).",
            "Correct the value, or read the table without that column.",
        ) from error
    yield from table.to_batches()


def _table(content: bytes, schema: pa.Schema) -> pa.Table:
    table = csv.read_csv(
        pa.BufferReader(content),
        csv.ReadOptions(column_names=schema.names, block_size=len(content) + 1),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    return table.cast(schema)
