"""Cast the rows of a user's asset to the types of its table, the same in every warehouse.

    int8 … int64, uint8 … uint64         INTEGER
    float16, float32, float64            FLOAT
    bool                                 BOOLEAN
    date32, date64                       DATE
    text, also categorical               STRING
    timestamps without a time zone       TIMESTAMP, in microseconds
    outlines (GeoArrow's WKB)            GEOGRAPHY
    only None, of no type                as the column in the table, else STRING

BigQuery refuses some of these in a Parquet file and misreads others
(https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#parquet_conversions).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from taxi_assets.datasets.spec import Type
from taxi_assets.errors import UncastableValue
from taxi_assets.frames import schema_of
from taxi_assets.warehouse.base import GeographyText
from taxi_assets.warehouse.sources import footer_of
from taxi_assets.warehouse.tables import Table, table_from_schema

__all__ = ["cast", "is_cast", "table_for"]


def table_for(
    name: str, schema: pa.Schema, existing: Callable[[], pa.Schema], *, monthly: bool
) -> Table:
    """The table for rows of ``schema``; raises ``TableSchemaConflict`` for an unsupported type.

    ``existing``, the columns of the table that there is, is called for a column without a type.
    """
    if pa.null() in schema.types:
        known = existing()
        for at, field in enumerate(schema):
            if pa.types.is_null(field.type):
                found = known.field(field.name).type if field.name in known.names else pa.string()
                schema = schema.set(at, field.with_type(found))
    return table_from_schema(name, schema, monthly=monthly)


def cast(
    rows: pa.RecordBatchReader, table: Table, geography_text: GeographyText
) -> pa.RecordBatchReader:
    """Stream the rows with the table's types, and outlines as ``geography_text``.

    No value is changed: reading raises ``UncastableValue`` for one that its column cannot hold.
    """
    schema = table.arrow_schema

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            columns = [
                _texts(values, geography_text)
                if column.type is Type.GEOGRAPHY
                else _cast(table.name, field, values)
                for column, field, values in zip(table.columns, schema, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def is_cast(path: Path, table: Table) -> bool:
    """Whether a Parquet file has the table's types, also where Arrow does not tell them apart."""
    types = {column.physical_type for column in footer_of(path).schema}
    return schema_of(path) == table.arrow_schema and "INT96" not in types


def _texts(outlines: pa.Array, geography_text: GeographyText) -> pa.Array:
    from shapely import from_wkb  # noqa: PLC0415 - slow to import, and only the zones need it

    texts = [wkb and geography_text(from_wkb(wkb)) for wkb in outlines.to_pylist()]
    return pa.array(texts, pa.string())


def _cast(table: str, field: pa.Field, column: pa.Array) -> pa.Array:
    try:
        return column.cast(field.type)
    except pa.ArrowInvalid as error:
        raise UncastableValue(
            f"A value in column {field.name} of {table} does not fit {field.type}: {error}. "
            "Nothing was loaded.",
            "Convert the column in the asset: times to microseconds (astype('datetime64[us]') cuts "
            "nanoseconds off), larger integers to float or text.",
        ) from error
