"""Rows as an asset receives and returns them: a pandas frame, an Arrow table, a stream of batches.

They come from Parquet files and record batches and go there again; where those lie is ``lake`` and
``warehouse``. pandas takes a quarter of a second to import and no month of ours needs it: only who
asks for a frame pays.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.errors import Misconfigured, ObjectMissing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Rows", "from_reader", "is_rows", "read_parquet", "to_frame", "write_parquet"]

Rows: TypeAlias = "pd.DataFrame | pa.Table | pa.RecordBatchReader"
_BATCH_ROWS = 131_072


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The table as a frame: integers, booleans and text are of pandas' nullable types."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_pandas_type, date_as_object=False)
    return frame


def _pandas_type(type_: pa.DataType) -> Any:
    """The nullable type: integers and booleans with NULLs stay what they are, not floats."""
    import pandas as pd  # noqa: PLC0415 - see the module's opening

    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return pd.StringDtype("pyarrow")  # large strings are what pandas makes of its own text
    if pa.types.is_boolean(type_):
        return pd.BooleanDtype()
    if pa.types.is_integer(type_):
        name = str(type_)  # int8 … uint64: pandas spells its own Int8 … UInt64
        return pd.api.types.pandas_dtype(name.replace("uint", "UInt").replace("int", "Int"))
    return None


def from_reader(reader: pa.RecordBatchReader, form: Any) -> Rows:
    """The reader's rows in the form asked for: ``DataFrame``, ``Table`` or the reader itself."""
    if form is pa.RecordBatchReader:
        return reader
    table = reader.read_all()
    return table if form is pa.Table else to_frame(table)


def is_rows(form: Any) -> bool:
    """Whether ``form`` is one of the three that hold rows."""
    return form in (pa.Table, pa.RecordBatchReader) or _is_frame_type(form)


def _is_frame_type(form: Any) -> bool:
    pandas = sys.modules.get("pandas")  # who has a frame has imported it
    return pandas is not None and form is pandas.DataFrame


def read_parquet(paths: Sequence[Path], columns: Sequence[str] | None) -> pa.RecordBatchReader:
    """Stream the rows of all files, one after the other, with those columns (``None``: all).

    A column that only some files have is NULL in the others. Raises ``ObjectMissing`` for a
    column that none has.
    """
    schema = pa.unify_schemas([pq.read_schema(path).remove_metadata() for path in paths])
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
        with pq.ParquetFile(path) as file:
            have = [name for name in schema.names if name in file.schema_arrow.names]
            for batch in file.iter_batches(_BATCH_ROWS, columns=have):
                arrays = [
                    batch.column(field.name).cast(field.type)
                    if field.name in have
                    else pa.nulls(batch.num_rows, field.type)
                    for field in schema
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def write_parquet(value: Rows, path: Path) -> int:
    """Write the value's rows to ``path`` as Parquet, streaming where it streams; return rows.

    Raises ``Misconfigured`` for a value that holds no rows we know.
    """
    if _is_frame_type(type(value)):
        value = pa.Table.from_pandas(value, preserve_index=False)
    elif not isinstance(value, pa.Table | pa.RecordBatchReader):
        raise Misconfigured(
            f"An asset returned {type(value).__name__}, which is not stored here.",
            "Return a pandas.DataFrame, a pyarrow.Table, a pyarrow.RecordBatchReader, the "
            "pathlib.Path of a Parquet file, or a handle.",
        )
    reader: pa.RecordBatchReader = value.to_reader() if isinstance(value, pa.Table) else value
    rows = 0
    with pq.ParquetWriter(path, reader.schema.remove_metadata(), compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows
