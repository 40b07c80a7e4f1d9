"""A rule's condition as SQL, independent of ``cleaning``."""

from __future__ import annotations

from taxi_assets.datasets import Month, Rule


def condition(rule: Rule, month_start: str, month_end: str) -> str:
    """The condition with its thresholds and the month's bounds as SQL expressions."""
    values: dict[str, object] = {"month_start": month_start, "month_end": month_end}
    return rule.condition.format_map({**rule.thresholds, **values})


def condition_in(rule: Rule, month: Month) -> str:
    """The condition for the file of one month."""
    return condition(
        rule, f"TIMESTAMP '{month}-01 00:00:00'", f"TIMESTAMP '{month.plus(1)}-01 00:00:00'"
    )
