"""Rows into and out of PostgreSQL: Arrow batches through COPY, never a row at a time.

Belongs here: CSV as COPY speaks it, both ways. Does not: tables, transactions.

CSV keeps every value: doubles are written in their shortest exact form on both sides, NULL is an
empty field and an empty text is ``""``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from pyarrow import csv
from typing_extensions import override

from taxi_assets.warehouse.postgres_schema import Place
from taxi_assets.warehouse.sources import unreadable

_BATCH_ROWS = 64_000
_BLOCK = 4 << 20  # bytes of CSV parsed at a time; a row must fit


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
) -> Iterator[pa.RecordBatch]:
    """Stream a query's rows as batches of ``schema``; memory is that of a few blocks."""
    command = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)").format(query)
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        reader = csv.open_csv(
            io.BufferedReader(_CopyReader(copy), _BLOCK),
            csv.ReadOptions(block_size=_BLOCK),
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
        for batch in reader:
            yield batch.cast(schema)


class _CopyReader(io.RawIOBase):
    """A COPY's output as a file, for Arrow's CSV reader."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy = copy
        self._rest = memoryview(b"")

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed: WriteableBuffer
        while not self._rest:
            chunk = self._copy.read()
            if not chunk:
                return 0
            self._rest = memoryview(chunk)
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken
