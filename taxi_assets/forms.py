"""The forms in which rows reach an asset and are taken from it.

Belongs here: Parquet files and record batches to and from what a person annotates: a pandas
frame, an Arrow table, a stream of batches. Does not: where the rows lie (``lake``,
``warehouse``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias, get_args, get_origin

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.errors import Misconfigured, ObjectMissing

Rows: TypeAlias = "pd.DataFrame | pa.Table | pa.RecordBatchReader"
_BATCH_ROWS = 131_072

# Integers and booleans with NULLs stay what they are instead of turning into floats and objects.
_PANDAS_TYPES: dict[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype("pyarrow"),
    pa.large_string(): pd.StringDtype("pyarrow"),  # what pandas makes of its own text
}


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The table as a frame: integers, booleans and text are of pandas' nullable types."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_PANDAS_TYPES.get, date_as_object=False)
    return frame


def from_reader(reader: pa.RecordBatchReader, form: Any) -> Rows:
    """The reader's rows in the form asked for: ``DataFrame``, ``Table`` or the reader itself."""
    if form is pa.RecordBatchReader:
        return reader
    table = reader.read_all()
    return table if form is pa.Table else to_frame(table)


def is_rows(form: Any) -> bool:
    """Whether ``form`` is one of the three that hold rows."""
    return form in (pd.DataFrame, pa.Table, pa.RecordBatchReader)


def unknown_form(asset: str, form: Any, accepted: Sequence[str]) -> Misconfigured:
    """The error for an annotation that says nothing we can bring."""
    name = getattr(form, "__name__", str(form))
    return Misconfigured(
        f"The input {asset} is annotated {name}.",
        f"Annotate it with one of {', '.join(accepted)}, or with dict[str, one of these] for a "
        "value per partition.",
    )


def form_per_partition(asset: str, form: Any, partitions: Sequence[str] | None) -> Any | None:
    """The ``X`` of ``dict[str, X]``; ``None`` for a form that takes all partitions together.

    ``partitions`` are those asked for, ``None`` for an asset without any. Raises
    ``Misconfigured`` for a ``dict`` of an asset without any, ``ObjectMissing`` when none is
    asked for.
    """
    if partitions is not None and not partitions:
        raise ObjectMissing(
            f"No partition of {asset} belongs to this run.", "See the input's partition mapping."
        )
    if get_origin(form) is not dict:
        return None
    if partitions is None:
        raise Misconfigured(
            f"The input {asset} is annotated as a dict, but has no partitions.",
            "Annotate it with what the dict was to hold.",
        )
    return get_args(form)[1]


def by_partition(
    asset: str, value: Any, partitions: Sequence[str] | None
) -> list[tuple[str | None, Any]]:
    """Which part of an asset's ``value`` is stored for which partition of its run.

    ``partitions`` is ``None`` for an asset without any. One partition takes the value as it is,
    or a ``dict`` with that one key; several need a ``dict`` with exactly their keys. Raises
    ``Misconfigured`` otherwise: rows that nobody has told apart must not all go to one place.
    """
    if partitions is None:
        return [(None, value)]
    if isinstance(value, dict):
        if set(value) != set(partitions):
            raise Misconfigured(
                f"{asset} returned values for {', '.join(map(str, value)) or 'no partition'} in a "
                f"run over {', '.join(partitions)}.",
                "Return one for each of these.",
            )
        return [(each, value[each]) for each in partitions]
    if len(partitions) != 1:
        raise Misconfigured(
            f"{asset} returned one {type(value).__name__} in a run over {len(partitions)} "
            f"partitions ({partitions[0]} to {partitions[-1]}).",
            "Return a dict with a value per partition, or give the asset "
            "BackfillPolicy.multi_run(1).",
        )
    return [(partitions[0], value)]


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
    if not isinstance(value, pd.DataFrame | pa.Table | pa.RecordBatchReader):
        raise Misconfigured(
            f"An asset returned {type(value).__name__}, which is not stored here.",
            "Return a pandas.DataFrame, a pyarrow.Table, a pyarrow.RecordBatchReader, the "
            "pathlib.Path of a Parquet file or a LakeObject.",
        )
    if isinstance(value, pd.DataFrame):
        value = pa.Table.from_pandas(value, preserve_index=False)
    reader = value.to_reader() if isinstance(value, pa.Table) else value
    rows = 0
    with pq.ParquetWriter(path, reader.schema.remove_metadata(), compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows
