"""The SQL that turns one published value into its canonical one.

Belongs here: casts and code tables, one column at a time. Does not: rows, rules, files.

Every cast gives NULL where it fails; :func:`fault` tells such a NULL from a published one, so
that a value is never dropped in silence.
"""

from __future__ import annotations

from taxi_assets.cleaning.mapping import Mapped, PublishedKind
from taxi_assets.datasets.spec import Type

SQL_TYPES: dict[Type, str] = {
    Type.INTEGER: "BIGINT",
    Type.FLOAT: "DOUBLE",
    Type.STRING: "VARCHAR",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.DATE: "DATE",
}

# As in TLC's files of 2009 and 2010.
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
    sql_type = SQL_TYPES[column.type]
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


def fault(mapped: Mapped) -> str | None:
    """An SQL condition: there is a published value and the cast has lost it; ``None``: never."""
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
        there = f"trim({name}) <> ''"
    elif mapped.kind is PublishedKind.FLOAT:
        there = f"NOT isnan({name})"
    else:
        there = f"{name} IS NOT NULL"
    return f"{there} AND ({cast(mapped)}) IS NULL"


def _plain(name: str, mapped: Mapped) -> str:
    """The cast without the code table."""
    text, wanted = mapped.kind is PublishedKind.TEXT, mapped.column.type
    number = f"TRY_CAST(trim({name}) AS DOUBLE)" if text else f"CAST({name} AS DOUBLE)"
    if wanted is Type.FLOAT:
        return _number(number)
    if wanted is Type.INTEGER and mapped.kind is not PublishedKind.INTEGER:
        return _whole(number)
    if wanted is Type.TIMESTAMP and text:
        return f"try_strptime(trim({name}), {_TEXT_TIMES})"
    if wanted is Type.STRING and not text:
        return "NULL"  # a number where text is wanted is what the code table says, or a fault
    return f"CAST({name} AS {SQL_TYPES[wanted]})"


def _number(number: str) -> str:
    """A double, or NULL for NaN: pandas' NULL would turn every sum of the column into NaN."""
    return f"nullif({number}, 'nan'::DOUBLE)"


def _whole(number: str) -> str:
    """A double as an integer, only if it is one: DuckDB's own cast would round it."""
    return f"CASE WHEN {number} = trunc({number}) THEN TRY_CAST({number} AS BIGINT) END"


def _text(name: str, mapped: Mapped) -> str:
    """The value as the code table's keys are written: trimmed, lower-cased, 1.0 as 1."""
    if mapped.kind is PublishedKind.FLOAT:
        return f"coalesce(CAST({_whole(name)} AS VARCHAR), CAST({name} AS VARCHAR))"
    return f"lower(trim(CAST({name} AS VARCHAR)))"
