"""The SQL that casts one published column to its canonical type and codes.

A cast that fails gives NULL; :func:`cast_failure` distinguishes it from a published NULL, so that
no value is dropped silently.
"""

from __future__ import annotations

from taxi_assets.cleaning.mapping import Mapped, PublishedKind
from taxi_assets.datasets.spec import Type

__all__ = ["cast", "cast_failure", "literal", "quoted"]

_SQL_TYPES: dict[Type, str] = {
    Type.INTEGER: "BIGINT",
    Type.FLOAT: "DOUBLE",
    Type.STRING: "VARCHAR",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.DATE: "DATE",
}

# The formats of TLC's files of 2009 and 2010.
_TEXT_TIMES = "['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M:%S.%f']"


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int) -> str:
    """An SQL literal."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def cast(mapped: Mapped) -> str:
    """The SQL expression of the canonical value."""
    column = mapped.column
    sql_type = _SQL_TYPES[column.type]
    if mapped.published is None or mapped.kind is PublishedKind.NULL:
        return f"CAST(NULL AS {sql_type})"
    name = quoted(mapped.published)
    plain = _plain(name, mapped)
    if not column.codes or (mapped.kind is PublishedKind.INTEGER and column.type is Type.INTEGER):
        return plain
    whens = " ".join(
        f"WHEN {literal(text)} THEN {literal(code)}" for text, code in column.codes.items()
    )
    return f"CASE {_text(name, mapped)} {whens} ELSE {plain} END"


def cast_failure(mapped: Mapped) -> str | None:
    """The SQL condition that a published value cannot be cast; None if every value can."""
    column = mapped.column
    if mapped.published is None or mapped.kind is PublishedKind.NULL:
        return None
    safe = {
        (PublishedKind.INTEGER, Type.INTEGER),
        (PublishedKind.INTEGER, Type.FLOAT),
        (PublishedKind.FLOAT, Type.FLOAT),
        (PublishedKind.TEXT, Type.STRING),
        (PublishedKind.TIMESTAMP, Type.TIMESTAMP),
    }
    if (mapped.kind, column.type) in safe:
        return None
    name = quoted(mapped.published)
    if mapped.kind is PublishedKind.TEXT:
        present = f"trim({name}) <> ''"
    elif mapped.kind is PublishedKind.FLOAT:
        present = f"NOT isnan({name})"
    else:
        present = f"{name} IS NOT NULL"
    return f"{present} AND ({cast(mapped)}) IS NULL"


def _plain(name: str, mapped: Mapped) -> str:
    """The cast without the code table."""
    text, target = mapped.kind is PublishedKind.TEXT, mapped.column.type
    number = f"TRY_CAST(trim({name}) AS DOUBLE)" if text else f"CAST({name} AS DOUBLE)"
    if target is Type.FLOAT:
        return _number(number)
    if target is Type.INTEGER and mapped.kind is not PublishedKind.INTEGER:
        return _whole(number)
    if target is Type.TIMESTAMP and text:
        return f"try_strptime(trim({name}), {_TEXT_TIMES})"
    if target is Type.STRING and not text:
        return "NULL"  # the code table decides; any other number is a cast failure
    return f"CAST({name} AS {_SQL_TYPES[target]})"


def _number(number: str) -> str:
    """A double, with NULL for pandas' NaN, which would make every sum of the column NaN."""
    return f"nullif({number}, 'nan'::DOUBLE)"


def _whole(number: str) -> str:
    """A double as an integer, NULL if it has a fraction: DuckDB's own cast would round it."""
    return f"CASE WHEN {number} = trunc({number}) THEN TRY_CAST({number} AS BIGINT) END"


def _text(name: str, mapped: Mapped) -> str:
    """The value in the form of the code table's keys: trimmed, lower-cased, 1.0 as 1."""
    if mapped.kind is PublishedKind.FLOAT:
        return f"coalesce(CAST({_whole(name)} AS VARCHAR), CAST({name} AS VARCHAR))"
    return f"lower(trim(CAST({name} AS VARCHAR)))"
