"""The specifications as a Markdown page for users of the tables; the facts are in the modules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.spec import Column, DatasetSpec, Rule
from taxi_assets.datasets.stored import Part, stored_columns
from taxi_assets.datasets.zones import TAXI_ZONE_COLUMNS

__all__ = ["render_document"]

_INTRODUCTION = """\
<!-- Written by `python -m taxi_assets.datasets > docs/datasets.md`; edit taxi_assets/datasets/. -->
# Datasets

The columns of the tables, the names TLC has published them under, and the rules for bad rows.

- A month is the month of the file (`source_month`), not of the pickup.
- Times are New York's wall clock without a UTC offset, as TLC publishes them.
- TLC publishes the same column with other types from month to month (null, double, int64, int32,
  string, large_string), because pandas chose them by the month's values. Any mixture of them loads
  into the one type of the table, listed here, if every value fits it.
- A column that a month's file does not have is NULL. The run of a month fails if its file lacks a
  required column or has one that is not listed here.
- A value that its column cannot hold fails the month's run, which names the column, the first row
  and the count: an infinite number, text that is no plain decimal number (`inf`, `nan`, `1_000`,
  `0x10`), a number that would be rounded, a time outside the years 1 to 9999, text that is not
  UTF-8.
- Blank text is NULL in every column, and so is NaN in a floating-point column, as pandas writes it,
  and a value that is listed as NULL. The month's page has the number of blank and listed values of
  each column (`published_as_null`).
- Text is trimmed and in upper case, so that codes of bases and services join TLC's lists of them;
  the raw file has it as published.
- A reject rule moves a row to the dataset's rejects, with the rule's name as the reason; a flag
  rule keeps the row and adds its name to the row's quality flags. No row is deleted.
- *Published as* lists every name TLC has used; *required in* the months whose file must have it.
"""


def render_document() -> str:
    """The page: every dataset, the columns the platform adds, the taxi zones."""
    return "\n".join(
        [
            _INTRODUCTION,
            *(_dataset_section(spec) for spec in DATASETS.values()),
            f"## Columns the platform adds\n\n{_added_table()}",
            f"## Taxi zones (`taxi_zones`)\n\n{_columns_table(TAXI_ZONE_COLUMNS)}",
        ]
    )


def _dataset_section(spec: DatasetSpec) -> str:
    ignored = ", ".join(f"`{name}`" for name in spec.ignored)
    facts = [
        f"- First month: {spec.first_month}",
        f"- Dictionary: <{spec.dictionary_url}>",
        f"- A month's run fails if more than {spec.max_reject_share:.0%} of its rows are rejected"
        f"{_unmeasured(spec)}.",
        *([f"- Published but not loaded: {ignored}"] if ignored else []),
    ]
    return "\n".join(
        [
            f"## {spec.title} (`{spec.name}`)\n",
            f"{spec.description}\n",
            *facts,
            f"\n### Columns of `{spec.name}`\n",
            _columns_table(spec.columns),
            f"### Rules of `{spec.name}`\n",
            _rules_table(spec.rules),
        ]
    )


def _unmeasured(spec: DatasetSpec) -> str:
    if spec.unmeasured_until is None:
        return ""
    return (
        f"; up to {spec.unmeasured_until}, where no month was available to measure, it warns, and "
        f"fails above {spec.absurd_reject_share:.0%}"
    )


def _added_table() -> str:
    spec = next(iter(DATASETS.values()))
    trips = stored_columns(spec, Part.TRIPS)
    added = stored_columns(spec, Part.REJECTS)[len(spec.columns) :]
    return _table(
        ("column", "type", "tables", "description"),
        (
            (
                f"`{column.name}`",
                column.type.value,
                "trips, rejects" if column in trips else "rejects",
                column.description,
            )
            for column in added
        ),
    )


def _columns_table(columns: Iterable[Column]) -> str:
    return _table(
        ("column", "type", "unit", "description", "values", "published as", "required in"),
        (
            (
                f"`{column.name}`",
                column.type.value,
                column.unit or "",
                column.description,
                _values(column),
                ", ".join(f"`{name}`" for name in column.published_as),
                _months(column),
            )
            for column in columns
        ),
    )


def _rules_table(rules: Iterable[Rule]) -> str:
    return _table(
        ("rule", "action", "thresholds", "description"),
        (
            (
                f"`{rule.name}`",
                rule.action.value,
                _pairs(rule.thresholds),
                rule.explain(),
            )
            for rule in rules
        ),
    )


def _values(column: Column) -> str:
    """What each code means, and the published words it replaces."""
    words: dict[int | str, list[str]] = {}
    for word, code in column.codes.items():
        words.setdefault(code, []).append(f"`{word}`")
    meanings = [
        f"`{code}` {meaning}" + (f" (from {', '.join(words[code])})" if code in words else "")
        for code, meaning in column.values.items()
    ]
    return "<br>".join([*meanings, *(f"`{null}` is NULL" for null in column.nulls)])


def _months(column: Column) -> str:
    bounds = [f"since {column.since}"] if column.since else []
    bounds += [f"until {column.until}"] if column.until else []
    return " ".join(bounds) or "all months"


def _pairs(thresholds: Mapping[str, int | float]) -> str:
    return ", ".join(f"{name} {value}" for name, value in thresholds.items())


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )
