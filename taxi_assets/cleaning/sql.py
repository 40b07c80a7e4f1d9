"""The SQL of a whole month, generated from its specification.

Belongs here: canonical rows, reasons, flags, the queries that the engine runs. Does not: running
them (``engine``) or single casts (``casts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from taxi_assets.cleaning.casts import cast, fault, literal, quoted
from taxi_assets.cleaning.mapping import Mapped
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Action, DatasetSpec, Rule
from taxi_assets.datasets.stored import Part, stored_columns


@dataclass(frozen=True, slots=True)
class MonthSql:
    """The queries of one month. Row order is the file's within a row group."""

    spec: DatasetSpec
    month: Month
    mapped: tuple[Mapped, ...]
    source: Path
    source_file: str

    @property
    def faults(self) -> dict[str, str]:
        """Canonical column name to the condition under which its cast lost a value."""
        conditions = ((each.column.name, fault(each)) for each in self.mapped)
        return {name: condition for name, condition in conditions if condition}

    def count_faults(self) -> str:
        """One row: for each column of :attr:`faults`, how many values its cast lost."""
        counts = ", ".join(f"count(*) FILTER ({each})" for each in self.faults.values())
        return f"SELECT {counts} FROM {self._file}"

    def first_fault(self, mapped: Mapped) -> str:
        """One row: the place and the published value of the first fault of that column."""
        assert mapped.published is not None
        return (
            f"SELECT file_row_number, {quoted(mapped.published)} FROM {self._file} "
            f"WHERE {fault(mapped)} ORDER BY file_row_number LIMIT 1"
        )

    def rows(self, part: Part) -> str:
        """The rows of that part with exactly its stored columns, in order."""
        columns = ", ".join(quoted(column.name) for column in stored_columns(self.spec, part))
        rejected = _either(self._conditions(Action.REJECT))
        # DuckDB skips what a plain condition rules out, and a NULL one is as good as a false one.
        # Of the others no row may be lost to a NULL.
        keep = f"({rejected})" if part is Part.REJECTS else f"NOT coalesce({rejected}, false)"
        casts = ", ".join(f"{cast(each)} AS {quoted(each.column.name)}" for each in self.mapped)
        return f"""
            WITH canonical AS (
                SELECT {casts}, file_row_number AS source_row,
                    DATE {literal(str(self.month.first_day))} AS source_month,
                    {literal(self.source_file)} AS source_file
                FROM {self._file}
            ), judged AS (
                SELECT *, {_names(self._conditions(Action.REJECT))} AS reject_reasons,
                    {_names(self._conditions(Action.FLAG))} AS quality_flags
                FROM canonical WHERE {keep}
            )
            SELECT {columns} FROM judged"""

    @property
    def _file(self) -> str:
        return f"read_parquet({literal(str(self.source))}, file_row_number = true)"

    def _conditions(self, action: Action) -> list[tuple[str, str]]:
        return [
            (rule.name, condition_sql(rule, self.month)) for rule in self.spec.rules_that(action)
        ]


def condition_sql(rule: Rule, month: Month) -> str:
    """The rule's condition with its thresholds and the month's bounds written in."""
    return rule.condition.format(
        **rule.thresholds,
        month_start=f"TIMESTAMP '{month.first_day} 00:00:00'",
        month_end=f"TIMESTAMP '{month.plus(1).first_day} 00:00:00'",
    )


def _either(conditions: Sequence[tuple[str, str]]) -> str:
    """True when a condition matches, false or NULL otherwise."""
    return " OR ".join(f"({condition})" for _, condition in conditions) or "false"


def _names(conditions: Sequence[tuple[str, str]]) -> str:
    """The matching names, comma-separated; NULL when none matches."""
    names = ", ".join(
        f"CASE WHEN {condition} THEN {literal(name)} END" for name, condition in conditions
    )
    return f"nullif(concat_ws(',', {names}), '')" if names else "CAST(NULL AS VARCHAR)"
