"""The queries that clean a month, generated from its specification; ``engine`` runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from taxi_assets.cleaning.casts import cast, cast_failure, fails_visibly
from taxi_assets.cleaning.mapping import Mapped
from taxi_assets.cleaning.scan import literal, quoted, scan
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Action, DatasetSpec, Rule
from taxi_assets.datasets.stored import Part, stored_columns

__all__ = ["MonthSql"]


@dataclass(frozen=True, slots=True)
class MonthSql:
    """The queries of one month; within a row group, rows keep the order of the file."""

    spec: DatasetSpec
    month: Month
    mapped: tuple[Mapped, ...]
    source: Path
    source_file: str

    @property
    def hidden_failures(self) -> list[Mapped]:
        """The columns whose failed casts the cleaned rows would not show."""
        return [each for each in self.mapped if cast_failure(each) and not fails_visibly(each)]

    def count_cast_failures(self, columns: Sequence[Mapped]) -> str:
        """One row: the number of failures of each of ``columns``."""
        counts = ", ".join(f"count(*) FILTER ({cast_failure(each)})" for each in columns)
        return f"SELECT {counts} FROM {self._file}"

    def count_published_nulls(self, columns: Sequence[Mapped]) -> str:
        """One row: the number of NULLs in the file of each of ``columns``, which it must have."""
        counts = ", ".join(f"count(*) - count({quoted(each.published or '')})" for each in columns)
        return f"SELECT {counts} FROM {self._file}"

    def first_cast_failure(self, mapped: Mapped) -> str:
        """One row: row number and published value, as text, of the column's first cast failure."""
        assert mapped.published is not None
        return (
            f"SELECT file_row_number, CAST({quoted(mapped.published)} AS VARCHAR) "
            f"FROM {self._file} WHERE {cast_failure(mapped)} ORDER BY file_row_number LIMIT 1"
        )

    def rows(self, part: Part) -> str:
        """The rows of that part with its stored columns, in order."""
        columns = ", ".join(quoted(column.name) for column in stored_columns(self.spec, part))
        rejected = _either(self._conditions(Action.REJECT))
        # For rejects, a NULL condition is as good as a false one, and DuckDB can skip row groups by
        # the plain condition. Trips need coalesce: their rows must not be lost to a NULL.
        keep = f"({rejected})" if part is Part.REJECTS else f"NOT coalesce({rejected}, false)"
        casts = ", ".join(f"{cast(each)} AS {quoted(each.column.name)}" for each in self.mapped)
        return f"""
            WITH canonical AS (
                SELECT {casts}, file_row_number AS source_row,
                    DATE {literal(str(self.month.first_day))} AS source_month,
                    {literal(self.source_file)} AS source_file
                FROM {self._file}
            ), with_rules AS (
                SELECT *, {_names(self._conditions(Action.REJECT))} AS reject_reasons,
                    {_names(self._conditions(Action.FLAG))} AS quality_flags
                FROM canonical WHERE {keep}
            )
            SELECT {columns} FROM with_rules"""

    @property
    def _file(self) -> str:
        return scan(self.source, row_numbers=True)

    def _conditions(self, action: Action) -> list[tuple[str, str]]:
        return [
            (rule.name, _condition_sql(rule, self.month)) for rule in self.spec.rules_that(action)
        ]


def _condition_sql(rule: Rule, month: Month) -> str:
    """The rule's condition with its thresholds and the month's bounds filled in."""
    return rule.condition.format(
        **rule.thresholds,
        month_start=f"TIMESTAMP '{month.first_day} 00:00:00'",
        month_end=f"TIMESTAMP '{month.plus(1).first_day} 00:00:00'",
    )


def _either(conditions: Sequence[tuple[str, str]]) -> str:
    """True if a condition matches, else false or NULL."""
    return " OR ".join(f"({condition})" for _, condition in conditions) or "false"


def _names(conditions: Sequence[tuple[str, str]]) -> str:
    """The names of the matching conditions, comma-separated; NULL if none matches."""
    names = ", ".join(
        f"CASE WHEN {condition} THEN {literal(name)} END" for name, condition in conditions
    )
    return f"nullif(concat_ws(',', {names}), '')" if names else "CAST(NULL AS VARCHAR)"
