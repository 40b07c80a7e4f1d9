"""Parquet files made by hand to be odd: types, values, names, nesting, counts.

Each is a green month of which one column, or the whole layout, is replaced. To add one, add an
array to ``ARRAYS`` or a function to ``LAYOUTS``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["ARRAYS", "LAYOUTS", "ROWS", "with_column"]

ROWS = 40

Layout = Callable[[pa.Table, Path], None]


def _of(*values: Any, type_: pa.DataType | None = None) -> pa.Array:
    """The values, repeated to the length of a file."""
    return pa.array((values * ROWS)[:ROWS], type_)


def _text(*values: bytes) -> pa.Array:
    """Text that Arrow does not check."""
    content = _of(*values)
    return pa.Array.from_buffers(pa.string(), len(content), content.buffers())


ARRAYS: Mapping[str, pa.Array] = {
    "null": pa.nulls(ROWS),
    "bool": _of(True, None),
    **{f"int{bits}": _of(1, 2, type_=getattr(pa, f"int{bits}")()) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": _of(1, 2, type_=getattr(pa, f"uint{bits}")()) for bits in (8, 16, 32, 64)},
    "uint64 of 2^64 - 1": _of(2**64 - 1, None, type_=pa.uint64()),
    "int64 at its ends": _of(2**63 - 1, -(2**63)),
    "int64 of 2^53 + 1": _of(2**53 + 1),
    **{f"float{bits}": _of(1.0, 2.0, type_=getattr(pa, f"float{bits}")()) for bits in (16, 32, 64)},
    "nan": _of(math.nan, 1.0),
    "inf": _of(math.inf, -math.inf),
    "float of 1e308": _of(1e308, -1e308, 5e-324, -0.0),
    "fractions": _of(1.5, 2.0),
    "decimal": _of(Decimal("1.00"), None),
    "decimal with a fraction": _of(Decimal("1.25")),
    "decimal of 38 digits": _of(Decimal("1" * 36 + ".25"), type_=pa.decimal128(38, 2)),
    "decimal of 50 digits": _of(Decimal("1.25"), type_=pa.decimal256(50, 2)),
    "text": _of("Y", "N", "", " ", None),
    "large text": _of("1", "2", type_=pa.large_string()),
    "text view": _of("1", None, type_=pa.string_view()),
    "dictionary of text": _of("1", "2").dictionary_encode(),
    "dictionary of integers": _of(1, 2).dictionary_encode(),
    "binary": _of(b"1", b"2"),
    "binary that is no text": _of(b"\xff\xfe", b"\x00"),
    "binary of a fixed size": _of(b"ab", type_=pa.binary(2)),
    "not UTF-8": _text(b"Q\xff\xfe", b"Y"),
    "surrogates": _text(b"\xed\xa0\x80"),
    "NUL": _of("\x00", "Y\x00N"),
    "long text": _of("x" * 100_000, "Y"),
    "direction marks": _of("\N{RIGHT-TO-LEFT OVERRIDE}Y", "é", "\N{GRINNING FACE}"),
    **{f"text {text}": _of(text, "1") for text in ("inf", "nan", "1_000", "0x10", "1e400", "1,5")},
    "text of a large integer": _of("9007199254740993", "9223372036854775808"),
    "text of times": _of("2024-01-02 03:04:05", "2024-02-30 00:00:00"),
    "text of years": _of("0000-00-00 00:00:00", "99999-01-01 00:00:00"),
    "date": _of(date(2024, 1, 2)),
    "time": _of(time(1, 2)),
    "duration": _of(1, 2, type_=pa.duration("us")),
    "interval": _of({"a": 1}),
    **{f"times in {unit}": _of(1_704_164_645, type_=pa.timestamp(unit)) for unit in ("s", "ms")},
    **{f"good times in {unit}": _of(datetime(2024, 1, 2), type_=pa.timestamp(unit))  # noqa: DTZ001
       for unit in ("s", "ms", "us", "ns")},
    **{f"first and last {unit}": _of(-(2**63) + 1, 2**63 - 1, type_=pa.timestamp(unit))
       for unit in ("us", "ns")},
    "times in ms that overflow": _of(2**62, 0, type_=pa.timestamp("ms")),
    "UTC": _of(0, type_=pa.timestamp("us", "UTC")),
    "New York": _of(0, type_=pa.timestamp("us", "America/New_York")),
    "list": _of([1, 2], None),
    "empty lists": _of([], type_=pa.list_(pa.int64())),
    "struct": _of({"a": 1, "b": "x"}),
    "map": _of([(1, 2)], type_=pa.map_(pa.int32(), pa.int32())),
    "list of structs": _of([{"a": [1, None]}]),
}  # fmt: skip


def with_column(name: str, array: pa.Array, table: pa.Table, path: Path) -> None:
    """Write the month with ``array`` as its column ``name``."""
    at = table.column_names.index(name)
    pq.write_table(table.set_column(at, name, array), path)


def _renamed(name: str) -> Layout:
    def write(table: pa.Table, path: Path) -> None:
        pq.write_table(table.rename_columns([name, *table.column_names[1:]]), path)

    return write


def _added(*names: str) -> Layout:
    def write(table: pa.Table, path: Path) -> None:
        for name in names:
            table = table.append_column(name, table.column(0))
        pq.write_table(table, path)

    return write


def _written(**options: Any) -> Layout:
    return lambda table, path: pq.write_table(table, path, **options)


def _no_row_groups(table: pa.Table, path: Path) -> None:
    with pq.ParquetWriter(path, table.schema):
        pass


def _empty_groups(table: pa.Table, path: Path) -> None:
    with pq.ParquetWriter(path, table.schema) as writer:
        for rows in (table.slice(0, 0), table, table.slice(0, 0)):
            writer.write_table(rows)


LAYOUTS: Mapping[str, Layout] = {
    "no rows": lambda table, path: pq.write_table(table.slice(0, 0), path),
    "no row groups": _no_row_groups,
    "empty row groups": _empty_groups,
    "no columns": lambda table, path: pq.write_table(table.select([]), path),
    "one column": lambda table, path: pq.write_table(table.select([0]), path),
    "columns reversed": lambda table, path: pq.write_table(
        table.select(table.column_names[::-1]), path
    ),
    "a row a group": _written(row_group_size=1),
    "tiny pages": _written(data_page_size=1, write_batch_size=1),
    "INT96": _written(use_deprecated_int96_timestamps=True),
    "version 1": _written(version="1.0"),
    "checksums": _written(write_page_checksum=True),
    "no statistics": _written(write_statistics=False),
    "no schema of Arrow": _written(store_schema=False),
    "byte streams split": _written(use_dictionary=False, use_byte_stream_split=["trip_distance"]),
    "a name of nothing": _renamed(""),
    "a name of NUL": _renamed("\x00"),
    "a name with an escape": _renamed("\x1b[2J\n"),
    "a name with quotes": _renamed("\"'; DROP TABLE x; --"),
    "a name with dots": _renamed("a.b.list.element"),
    "a long name": _renamed("n" * 100_000),
    "a name of a virtual column": _added("file_row_number", "filename"),
    "a name in other case": _added("vendorid"),
    "a name twice": _added("VendorID"),
    "a thousand columns": _added(*(f"column {number}" for number in range(1_000))),
    "all columns twice": lambda table, path: pq.write_table(
        pa.table(table.columns * 2, names=table.column_names * 2), path
    ),
}
