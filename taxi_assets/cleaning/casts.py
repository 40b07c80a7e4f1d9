"""The SQL that casts one published column to its canonical type and codes.

A cast that fails gives NULL; :func:`cast_failure` distinguishes it from a published NULL and from a
value that means NULL, so that no value is dropped silently. It also covers values that the type can
hold and no warehouse or calculation can: infinities, and times outside the years 1 to 9999.
"""

from __future__ import annotations

from typing import Final

from taxi_assets.cleaning.mapping import Mapped, PublishedKind
from taxi_assets.cleaning.scan import literal, quoted
from taxi_assets.datasets.spec import Type

__all__ = ["cast", "cast_failure", "fails_visibly"]

_SQL_TYPES: dict[Type, str] = {
    Type.INTEGER: "BIGINT",
    Type.FLOAT: "DOUBLE",
    Type.STRING: "VARCHAR",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.DATE: "DATE",
}

# The formats of TLC's files of 2009 and 2010.
_TEXT_TIMES: Final = "['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M:%S.%f']"
# DuckDB's own cast also takes 1_000, inf and nan.
_TEXT_NUMBER: Final = r"'[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?'"
_TEXT_INTEGER: Final = "'[+-]?[0-9]+'"
_CALENDAR: Final = "TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999'"

# The cast keeps every value of these, or one that its statistics show to be out of range.
_VISIBLE: Final = frozenset(
    {
        (PublishedKind.INTEGER, Type.INTEGER),
        (PublishedKind.INTEGER, Type.FLOAT),
        (PublishedKind.FLOAT, Type.FLOAT),
        (PublishedKind.TEXT, Type.STRING),
        (PublishedKind.TIMESTAMP, Type.TIMESTAMP),
        (PublishedKind.INTEGER, Type.STRING),
        (PublishedKind.FLOAT, Type.STRING),
        (PublishedKind.DECIMAL, Type.STRING),
    }
)


def cast(mapped: Mapped) -> str:
    """The SQL expression of the canonical value."""
    sql_type = _SQL_TYPES[mapped.column.type]
    if mapped.published is None or mapped.kind is PublishedKind.NULL:
        return f"CAST(NULL AS {sql_type})"
    value = _value(mapped.published, mapped)
    for null in mapped.column.nulls:
        value = f"nullif({value}, CAST({literal(null)} AS {sql_type}))"
    return value


def _value(published: str, mapped: Mapped) -> str:
    """The canonical value before the column's own NULLs."""
    column, name = mapped.column, quoted(published)
    plain = _plain(name, mapped)
    if not column.codes or (mapped.kind is PublishedKind.INTEGER and column.type is Type.INTEGER):
        return plain
    whens = " ".join(
        f"WHEN {literal(text)} THEN {literal(code)}" for text, code in column.codes.items()
    )
    return f"CASE {_text(name, mapped)} {whens} ELSE {plain} END"


def fails_visibly(mapped: Mapped) -> bool:
    """Whether the cleaned column's own minimum and maximum show that a cast failed.

    Other failures are NULL afterwards and have to be counted before.
    """
    return mapped.kind is PublishedKind.NULL or (mapped.kind, mapped.column.type) in _VISIBLE


def cast_failure(mapped: Mapped) -> str | None:
    """The SQL condition that a published value cannot be cast; None if every value can."""
    target = mapped.column.type
    if mapped.published is None or mapped.kind is PublishedKind.NULL:
        return None
    name = quoted(mapped.published)
    value = f"({cast(mapped)})"
    lost = f"{_present(name, mapped)} AND ({_value(mapped.published, mapped)}) IS NULL"
    if target is Type.TIMESTAMP:
        beyond = f"{value} NOT BETWEEN {_CALENDAR}"
    elif target is Type.FLOAT and mapped.kind is PublishedKind.INTEGER:
        beyond = f"CAST({value} AS HUGEINT) <> {name}"
    elif target is Type.FLOAT:
        beyond = f"isinf({value})"
    else:
        return None if fails_visibly(mapped) else lost
    return beyond if fails_visibly(mapped) else f"({lost}) OR {beyond}"


def _present(name: str, mapped: Mapped) -> str:
    """The condition that a value was published: not NULL, blank, or pandas' NaN."""
    if mapped.kind is PublishedKind.TEXT:
        return f"trim({name}) <> ''"
    if mapped.kind is PublishedKind.FLOAT:
        return f"NOT isnan({name})"
    return f"{name} IS NOT NULL"


def _plain(name: str, mapped: Mapped) -> str:
    """The cast without the code table."""
    kind, target = mapped.kind, mapped.column.type
    if kind is PublishedKind.TEXT:
        return _of_text(name, target)
    if target is Type.STRING:  # a number without a code is kept, for a flag rule to find
        return f"nullif({_text(name, mapped)}, 'nan')"
    if target is Type.FLOAT:
        return _double(name, mapped)
    if target is Type.INTEGER and kind is not PublishedKind.INTEGER:
        return _whole(name)
    return f"CAST({name} AS {_SQL_TYPES[target]})"


def _of_text(name: str, target: Type) -> str:
    text = f"trim({name})"
    if target is Type.STRING:
        return f"nullif(upper({text}), '')"
    if target is Type.TIMESTAMP:
        return f"try_strptime({text}, {_TEXT_TIMES})"
    number = (
        f"CASE WHEN regexp_full_match({text}, {_TEXT_NUMBER}) THEN TRY_CAST({text} AS DOUBLE) END"
    )
    if target is Type.FLOAT:
        return number
    return (  # a double would round an integer of more than 15 digits
        f"CASE WHEN regexp_full_match({text}, {_TEXT_INTEGER}) THEN TRY_CAST({text} AS BIGINT) "
        f"ELSE {_whole(f'({number})')} END"
    )


def _double(name: str, mapped: Mapped) -> str:
    """A number as a double: NULL for pandas' NaN, which would make every sum of the column NaN,
    and for a decimal that a double would round.
    """
    number = f"CAST({name} AS DOUBLE)"
    if mapped.kind is PublishedKind.FLOAT:
        return f"nullif({number}, 'nan'::DOUBLE)"
    if mapped.kind is PublishedKind.INTEGER:
        return number
    return f"CASE WHEN TRY_CAST({number} AS {mapped.sql_type}) = {name} THEN {number} END"


def _whole(number: str) -> str:
    """A number as an integer, NULL if it has a fraction: DuckDB's own cast would round it."""
    return f"CASE WHEN {number} = trunc({number}) THEN TRY_CAST({number} AS BIGINT) END"


def _text(name: str, mapped: Mapped) -> str:
    """The value in the form of the code table's keys: trimmed, lower-cased, 1.0 as 1."""
    if mapped.kind in (PublishedKind.FLOAT, PublishedKind.DECIMAL):
        return f"coalesce(CAST({_whole(name)} AS VARCHAR), CAST({name} AS VARCHAR))"
    return f"lower(trim(CAST({name} AS VARCHAR)))"
