"""Conversion between Parquet files and the values that assets receive and return.

These are pandas frames, Arrow tables and record batch readers. pandas takes 0.25 s to import and
the package's own assets do not use it, so it is imported only for a frame.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.errors import CorruptDownload, Misconfigured, ObjectMissing
from taxi_assets.machine_errors import named_machine_errors
from taxi_assets.wording import one_line

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Rows",
    "from_reader",
    "is_rows",
    "read_parquet",
    "schema_of",
    "to_frame",
    "to_reader",
    "write_parquet",
]

Rows: TypeAlias = "pd.DataFrame | pa.Table | pa.RecordBatchReader"
_BATCH_ROWS = 131_072


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The table as a frame, with pandas' nullable types for integers, booleans and text."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_pandas_type, date_as_object=False)
    return frame


def _pandas_type(type_: pa.DataType) -> Any:
    """The nullable pandas type, so that integers and booleans with NULLs do not become floats."""
    import pandas as pd  # noqa: PLC0415 - see the module docstring

    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return pd.StringDtype("pyarrow")  # pandas writes its own text as large strings
    if pa.types.is_boolean(type_):
        return pd.BooleanDtype()
    if pa.types.is_integer(type_):
        name = str(type_)  # int8 … uint64: pandas spells its own Int8 … UInt64
        return pd.api.types.pandas_dtype(name.replace("uint", "UInt").replace("int", "Int"))
    return None


def from_reader(reader: pa.RecordBatchReader, form: Any) -> Rows:
    """The reader's rows as ``form``: ``DataFrame``, ``Table`` or the reader itself."""
    if form is pa.RecordBatchReader:
        return reader
    table = reader.read_all()
    return table if form is pa.Table else to_frame(table)


def is_rows(form: Any) -> bool:
    """Whether ``form`` is one of the three types that hold rows."""
    return form in (pa.Table, pa.RecordBatchReader) or _is_frame_type(form)


def _is_frame_type(form: Any) -> bool:
    pandas = sys.modules.get("pandas")  # a caller that has a frame has imported pandas
    return pandas is not None and form is pandas.DataFrame


def read_parquet(paths: Sequence[Path], columns: Sequence[str] | None) -> pa.RecordBatchReader:
    """Stream the rows of the files in order, with ``columns`` (``None``: all).

    A column that is missing in some files is NULL there. Raises ``ObjectMissing`` for a column
    that is missing in all; reading raises ``CorruptDownload`` at a damaged part of a file.
    """
    schema = pa.unify_schemas([schema_of(path).remove_metadata() for path in paths])
    if columns is not None:
        unknown = sorted(set(columns) - set(schema.names))
        if unknown:
            raise ObjectMissing(
                f"There is no column {', '.join(unknown)}.", f"Choose from {schema.names}."
            )
        schema = pa.schema([schema.field(name) for name in columns])
    return pa.RecordBatchReader.from_batches(schema, _batches(paths, schema))


def _batches(paths: Sequence[Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for path in paths:
        with _readable(path), _opened(path) as file:
            have = [name for name in schema.names if name in file.schema_arrow.names]
            for batch in file.iter_batches(_BATCH_ROWS, columns=have):
                arrays = [
                    batch.column(field.name).cast(field.type)
                    if field.name in have
                    else pa.nulls(batch.num_rows, field.type)
                    for field in schema
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def schema_of(path: Path) -> pa.Schema:
    """The schema of a Parquet file; raises ``CorruptDownload`` for a damaged one."""
    with _readable(path), _opened(path) as file:
        return file.schema_arrow


def _opened(path: Path) -> pq.ParquetFile:
    """INT96 times, of old writers, as microseconds: as nanoseconds, the year 1 would be 1754."""
    return pq.ParquetFile(path, coerce_int96_timestamp_unit="us")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    with named_machine_errors(f"Reading {path}"):
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, MemoryError) or getattr(error, "errno", None) is not None:
                raise
            raise CorruptDownload(
                f"{path} cannot be read as Parquet ({one_line(str(error))}).",
                "It was damaged after it was stored: materialize its asset again with redo: true.",
            ) from error


def to_reader(value: Rows) -> pa.RecordBatchReader:
    """The value's rows as a stream.

    Raises ``Misconfigured`` for a value of another type, and for a frame with a column that has no
    Arrow type.
    """
    if _is_frame_type(type(value)):
        try:
            value = pa.Table.from_pandas(value, preserve_index=False)
        except (pa.ArrowException, ValueError) as error:  # ValueError: two columns of one name
            raise Misconfigured(
                f"An asset returned a frame that cannot be stored ({one_line(str(error))}).",
                "Give each column a name of its own, and values of one type (astype).",
            ) from error
    elif not isinstance(value, pa.Table | pa.RecordBatchReader):
        raise Misconfigured(
            f"An asset returned {type(value).__name__}, which cannot be stored.",
            "Return a pandas.DataFrame, a pyarrow.Table, a pyarrow.RecordBatchReader, the "
            "pathlib.Path of a Parquet file, or a handle.",
        )
    return value.to_reader() if isinstance(value, pa.Table) else value


def write_parquet(value: Rows, path: Path) -> int:
    """Write the value's rows to ``path`` as Parquet and return their number; streams a reader.

    Raises ``Misconfigured`` as ``to_reader`` does.
    """
    reader = to_reader(value)
    rows = 0
    with pq.ParquetWriter(path, reader.schema.remove_metadata(), compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows
