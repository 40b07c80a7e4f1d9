"""Refuse a month for values that do not fit, or for a file that is damaged, and say where."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from taxi_assets.cleaning.damage import find_damage
from taxi_assets.cleaning.engine_errors import NO_EDIT_HELPS, corrupt
from taxi_assets.cleaning.mapping import Mapped, PublishedKind
from taxi_assets.cleaning.sql import MonthSql
from taxi_assets.datasets.spec import Type
from taxi_assets.errors import CorruptDownload, PermanentError, UncastableValue
from taxi_assets.wording import counted, listed, one_line

__all__ = ["located", "refuse_cast_failures"]

_LONGEST = 80
_NO_OTHER_TYPE = {
    (PublishedKind.FLOAT, Type.FLOAT),
    (PublishedKind.TIMESTAMP, Type.TIMESTAMP),
}


def refuse_cast_failures(
    connection: duckdb.DuckDBPyConnection, sql: MonthSql, columns: Sequence[Mapped]
) -> None:
    """Raise ``UncastableValue`` if a value of ``columns`` cannot be cast."""
    if not columns:
        return
    counts = connection.execute(sql.count_cast_failures(columns)).fetchone()
    assert counts is not None
    found = []
    for mapped, count in zip(columns, counts, strict=True):
        if count:
            row, value = connection.execute(sql.first_cast_failure(mapped)).fetchone() or (0, "")
            shown = repr(value) if mapped.kind is PublishedKind.TEXT else value
            found.append(
                f"{mapped.published} has the {mapped.kind} value {one_line(shown, _LONGEST)} in "
                f"row {row} ({counted(count, 'such value')}), which does not fit "
                f"{mapped.column.name} ({mapped.column.type})"
            )
    if found:
        raise _uncastable(sql, found, _remedy(sql, columns))


def _remedy(sql: MonthSql, columns: Sequence[Mapped]) -> str:
    # Infinities and impossible times of the right type: another type has no cast for them.
    if all((each.kind, each.column.type) in _NO_OTHER_TYPE for each in columns):
        return NO_EDIT_HELPS
    return (
        "If TLC changed the column permanently, add the codes or change the type in "
        f"taxi_assets/datasets/{sql.spec.name}.py and run the month again; if the values are "
        "wrong, TLC must publish the file again."
    )


def located(error: CorruptDownload, sql: MonthSql) -> PermanentError:
    """The error to raise instead of ``error``, with the place of the damage if it can be found."""
    damage = find_damage(sql.source, sql.mapped)
    if damage.chunks:
        return corrupt(sql.source_file, listed(damage.chunks))
    if damage.values:
        return _uncastable(sql, damage.values, NO_EDIT_HELPS)
    return error


def _uncastable(sql: MonthSql, found: Sequence[str], remedy: str) -> UncastableValue:
    return UncastableValue(
        f"{sql.source_file} has values that do not fit the specification of {sql.spec.name} for "
        f"{sql.month}: {listed(found)}. Nothing was stored.",
        remedy,
    )
