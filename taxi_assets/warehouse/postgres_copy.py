"""Rows into and out of PostgreSQL: Arrow batches through COPY, never a row at a time.

Belongs here: CSV as COPY speaks it, both ways. Does not: tables, transactions.

CSV keeps every value: doubles are written in their shortest exact form on both sides, NULL is an
empty field and an empty text is ``""``.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from pyarrow import csv

from taxi_assets.warehouse.postgres_schema import Place
from taxi_assets.warehouse.sources import unreadable

_BATCH_ROWS = 64_000
_BLOCK = 4 << 20  # bytes of CSV parsed at a time


def copy_in(connection: psycopg.Connection, place: Place, path: Path, schema: pa.Schema) -> int:
    """Append a Parquet file's rows, by column name, batch by batch; the number of rows.

    Raises ``AuditFailed`` when the file breaks off.
    """
    command = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        place.identifier, sql.SQL(", ").join(map(sql.Identifier, schema.names))
    )
    rows = 0
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for batch in _file_batches(path, schema):
            buffer = io.BytesIO()
            csv.write_csv(batch, buffer, csv.WriteOptions(include_header=False))
            copy.write(buffer.getbuffer())
            rows += batch.num_rows
    return rows


def _file_batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH_ROWS, columns=schema.names):
                yield batch.select(schema.names).cast(schema)
    except (OSError, pa.ArrowInvalid) as error:
        raise unreadable(str(path), error) from error


def copy_out(
    connection: psycopg.Connection, query: sql.Composable, schema: pa.Schema
) -> Generator[pa.RecordBatch, None, None]:
    """Stream a query's rows as batches of ``schema``; memory is that of a block.

    Close it to stop early. Nothing reads ahead, so that nobody uses the connection meanwhile.
    """
    command = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(query)
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        block: list[bytes] = []
        size = 0
        for row in copy:  # a message of COPY is "always one per row", says the protocol
            block.append(bytes(row))
            size += len(row)
            if size >= _BLOCK:
                yield from _parsed(block, schema)
                block, size = [], 0
        if block:
            yield from _parsed(block, schema)


def _parsed(block: Sequence[bytes], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    content = b"".join(block)
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
    yield from table.cast(schema).to_batches()
