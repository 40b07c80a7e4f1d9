"""A published CSV file as Parquet with columns of text, which is cleaned as any other.

TLC's CSV has oddities that are no damage: blank lines after the header, blanks around names, and
rows with more values than the header has names, all of them empty. Arrow reads the rest strictly,
in the order of the file and within a few megabytes. Row numbers, casts and messages of the cleaning
are then those of a Parquet file.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import Final, TextIO, cast

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from taxi_assets.cleaning.engine_errors import corrupt
from taxi_assets.errors import CorruptDownload
from taxi_assets.wording import one_line

__all__ = ["csv_columns", "write_as_parquet"]

_BLOCK_BYTES: Final = 8 << 20
_LONGEST: Final = 200
_UNREADABLE: Final = (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error)


def csv_columns(source: Path) -> list[str]:
    """The names in the header, without blanks around them; raises ``CorruptDownload``."""
    return _head(source, source.name)[0]


def write_as_parquet(source: Path, name: str, target: Path) -> None:
    """Write the rows of ``source`` to ``target``: all text, in order, empty values as NULL.

    Raises ``CorruptDownload`` for ``name`` if a row has fewer values than the header has names or
    than other rows have, or a value without a name; and if the file is cut or not UTF-8.
    """
    names, values = _head(source, name)
    schema = pa.schema([pa.field(each, pa.string()) for each in names])
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        if not values:
            return
        before = 0
        try:
            compression = "gzip" if _is_compressed(source) else None
            with (
                pa.input_stream(str(source), compression=compression) as stream,
                _rows(stream, max(len(names), values)) as reader,
            ):
                for batch in reader:
                    _require_empty(batch, len(names), before, name)
                    writer.write_batch(
                        pa.RecordBatch.from_arrays(batch.columns[: len(names)], schema=schema)
                    )
                    before += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(name, error) from error


def _head(source: Path, name: str) -> tuple[list[str], int]:
    """The names in the header, and the number of values in the first row, 0 without any."""
    try:
        with _text(source) as file:
            rows = (row for row in csv.reader(file) if row)
            names = [each.strip() for each in next(rows, [])]
            values = len(next(rows, []))
    except _UNREADABLE as error:
        raise _unreadable(name, error) from error
    if not any(names):
        raise corrupt(name, "it has no header")
    return names, values


def _is_compressed(source: Path) -> bool:
    """By content, as the file may have been stored under another name."""
    with source.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _text(source: Path) -> TextIO:
    opened = gzip.open if _is_compressed(source) else open
    return cast("TextIO", opened(source, "rt", newline="", encoding="utf-8-sig"))


def _rows(stream: pa.NativeFile, values: int) -> pc.CSVStreamingReader:
    """The rows after the header; the columns are named by their position."""
    columns = [str(at) for at in range(values)]
    return pc.open_csv(
        stream,
        pc.ReadOptions(block_size=_BLOCK_BYTES, skip_rows=1, column_names=columns),
        convert_options=pc.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _require_empty(batch: pa.RecordBatch, names: int, before: int, name: str) -> None:
    """Raise ``CorruptDownload`` if a row has a value that the header has no name for."""
    for at in range(names, batch.num_columns):
        found = batch.column(at).is_valid()
        if found.true_count:
            row = found.index(True).as_py()
            value = one_line(repr(batch.column(at)[row].as_py()), _LONGEST)
            raise corrupt(
                name,
                f"row {before + row} has {value} as value {at + 1}, but its header has "
                f"{names} names",
            )


def _unreadable(name: str, error: Exception) -> CorruptDownload:
    if isinstance(error, OSError) and error.errno is not None:
        raise error  # the disk failed, not the file
    return corrupt(name, f"it cannot be read as CSV ({one_line(str(error), _LONGEST)})")
