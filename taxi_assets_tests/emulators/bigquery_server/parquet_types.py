"""The types of a Parquet file that a load job accepts, where local-bigquery casts everything.

https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#parquet_conversions:
"Other combinations of Parquet types and converted types are not supported." ``UINT_64`` is in that
list, but as INT64: refused here, because larger numbers would become negative.
"""

from __future__ import annotations

from typing import Any

from .upstream import BigQueryError, load

_INTEGERS = {None, *(f"INT_{bits}" for bits in (8, 16, 32, 64)), "UINT_8", "UINT_16", "UINT_32"}
_PLAIN = {
    ("BOOLEAN", None): "BOOLEAN",
    ("FLOAT", None): "FLOAT",
    ("DOUBLE", None): "FLOAT",
    ("INT96", None): "TIMESTAMP",
    ("INT32", "DATE"): "DATE",
    ("INT64", "TIMESTAMP_MILLIS"): "TIMESTAMP",
    ("INT64", "TIMESTAMP_MICROS"): "TIMESTAMP",
    ("BYTE_ARRAY", "UTF8"): "STRING",
    ("BYTE_ARRAY", None): "BYTES",
    **{("INT32", name): "INTEGER" for name in _INTEGERS},
    **{("INT64", name): "INTEGER" for name in _INTEGERS},
}
_UNSUPPORTED = ("Float16Type", "NullType", "TimeType", "UUIDType")
# https://cloud.google.com/bigquery/docs/geospatial-data: see ``geography``.
_SENT_AS = {"GEOGRAPHY": "STRING"}
_CPP_TYPES = {"INTEGER": "INT64", "FLOAT": "DOUBLE", "BOOLEAN": "BOOL"}

_reader = load._reader


def apply() -> None:
    """Apply the patch."""
    load._reader = reader


def reader(cur: Any, files: str, config: Any, fields: list[Any]) -> str:
    """DuckDB's reader of the files; raises BigQuery's error for a type that it does not accept."""
    if config.sourceFormat == "PARQUET":
        _check(cur, files, {field.name.casefold(): field.type for field in fields})
    return str(_reader(cur, files, config, fields))


def _check(cur: Any, files: str, wanted: dict[str, str]) -> None:
    columns = cur.sql(
        "SELECT name, type, converted_type, logical_type, file_name "
        f"FROM parquet_schema({files}) WHERE type IS NOT NULL"
    ).fetchall()
    for name, physical, converted, logical, file in columns:
        type_ = _type(physical, converted, logical or "")
        target = _standard(wanted.get(name.casefold(), type_ or ""))
        if type_ is None or type_ != _SENT_AS.get(target, target):
            raise BigQueryError(
                "invalid",
                f"Error while reading data, error message: Parquet column '{name}' has type "
                f"{physical} ({logical or converted or 'no logical type'}) which does not match "
                f"the target cpp_type {_CPP_TYPES.get(target, target)}. File: {file}",
            )


def _type(physical: str, converted: str | None, logical: str) -> str | None:
    """BigQuery's type, or None for one that it has none for."""
    if logical.startswith("TimestampType"):
        if "NANOS=NanoSeconds" in logical:
            return None
        return "DATETIME" if "isAdjustedToUTC=0" in logical else "TIMESTAMP"
    if logical.startswith(_UNSUPPORTED):
        return None
    return "NUMERIC" if converted == "DECIMAL" else _PLAIN.get((physical, converted))


def _standard(type_: str) -> str:
    return {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}.get(type_, type_)
