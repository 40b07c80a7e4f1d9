"""Dagster metadata made from specifications and counts: descriptions, schemas, lineage, plots.

https://docs.dagster.io/guides/build/assets/metadata-and-tags
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence

import dagster as dg

from taxi_assets.assets.common import TRIPS_PAGE
from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Column, DatasetSpec
from taxi_assets.datasets.stored import Part, documentation, stored_columns

__all__ = [
    "cleaning_plots",
    "column_schema",
    "lineage_from_raw",
    "links",
    "published_schema",
    "rules_table",
    "same_columns",
]

# The UI shows Markdown up to this length on the page and longer Markdown behind a link.
_SHOWN_AT_ONCE = 999

# The plot in pixels: width of a day and of its bar, height of the highest bar, y of the baseline.
_DAY, _BAR, _HIGHEST, _BASE = 18, 14, 70, 74


def rules_table(spec: DatasetSpec) -> str:
    """The dataset's rules as a Markdown table, for the cleaned asset's description."""
    rows = [f"| `{rule.name}` | {rule.action}s | {rule.explain()} |" for rule in spec.rules]
    return "\n".join(["| rule | does | when |", "|---|---|---|", *rows])


def column_schema(
    spec: DatasetSpec,
    part: Part = Part.TRIPS,
    *,
    published_names: Mapping[str, str] | None = None,
) -> dg.TableSchema:
    """Every stored column with its type and meaning.

    ``published_names`` (canonical to published) adds the source of each column, because the
    open-source UI does not show column lineage.
    """
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                str(column.type),
                documentation(column) + _origin(column, published_names),
            )
            for column in stored_columns(spec, part)
        ]
    )


def published_schema(columns: str | None) -> dict[str, dg.MetadataValue]:
    """The schema of a published file, from JSON of column to type; empty for ``None``."""
    if columns is None:
        return {}
    schema = [dg.TableColumn(name, type_) for name, type_ in json.loads(columns).items()]
    return {"dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(schema))}


def _origin(column: Column, published_names: Mapping[str, str] | None) -> str:
    if published_names is None or not column.published_as:
        return ""
    if column.name not in published_names:
        return " Not in this month's file: NULL."
    return f" Published as `{published_names[column.name]}`."


def links(spec: DatasetSpec, file_url: str | None) -> dict[str, dg.MetadataValue]:
    """TLC's pages about a month, and its file if the address is known."""
    file = {"file at TLC": dg.MetadataValue.url(file_url)} if file_url else {}
    return {
        **file,
        "TLC's page": dg.MetadataValue.url(TRIPS_PAGE),
        "data dictionary": dg.MetadataValue.url(spec.dictionary_url),
    }


def lineage_from_raw(published_names: Mapping[str, str], raw: dg.AssetKey) -> dg.TableColumnLineage:
    """Column lineage from a month's published columns."""
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(raw, published)] for name, published in published_names.items()}
    )


def same_columns(
    spec: DatasetSpec, upstream: dg.AssetKey, joined: Mapping[str, dg.TableColumnDep]
) -> dg.TableColumnLineage:
    """Column lineage from the columns of the same names upstream, and those they are ``joined``
    with.
    """
    return dg.TableColumnLineage(
        {
            column.name: [
                dg.TableColumnDep(upstream, column.name),
                *([joined[column.name]] if column.name in joined else []),
            ]
            for column in stored_columns(spec, Part.TRIPS)
        }
    )


def cleaning_plots(
    spec: DatasetSpec, month: Month, counts: MonthCounts
) -> dict[str, dg.MetadataValue]:
    """Trips per day as a bar chart; rejects and flags by rule and NULLs by column as tables."""
    return {
        "trips_per_day": dg.MetadataValue.md(_trips_per_day(spec, month, counts.per_day)),
        "rejects_by_reason": dg.MetadataValue.md(_counts("reason", counts.reasons)),
        "flags": dg.MetadataValue.md(_counts("flag", counts.flags)),
        "published_as_null": dg.MetadataValue.md(_counts("column", counts.nulled)),
    }


def _counts(heading: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return "none"
    most = max(counts.values())
    rows = [
        f"| {name} | {count:,} | {'█' * max(1, round(12 * count / most))} |"
        for name, count in counts.items()
    ]
    return "\n".join([f"| {heading} | rows | |", "|---|---:|---|", *rows])


def _trips_per_day(spec: DatasetSpec, month: Month, counts: Sequence[int]) -> str:
    """Every day of the month, including days without trips; strays are among the flags."""
    if not any(counts):
        return f"no trips on any day of {month}"
    most, fewest = max(counts), min(counts)
    image = base64.b64encode(_bars(counts).encode()).decode()
    return (
        f"![{spec.name} {month}: trips per day](data:image/svg+xml;base64,{image})\n\n"
        f"most {most:,} on day {counts.index(most) + 1}, "
        f"fewest {fewest:,} on day {counts.index(fewest) + 1}"
    )


def _bars(counts: Sequence[int]) -> str:
    """One bar per day as an SVG image, because the UI shows images but no inline SVG.

    All bars are one stroked path and only every seventh day is labelled, to keep the Markdown
    within ``_SHOWN_AT_ONCE``. There is no background, because pages are light or dark.
    """
    most = max(counts)
    bars = "".join(f"v-{h}m{_DAY} {h}" for h in (round(_HIGHEST * n / most) for n in counts))
    labels = "".join(
        f'<text x="{_DAY * (day - 1) + 4}" y="88">{day}</text>'
        for day in range(1, len(counts) + 1, 7)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_DAY * len(counts)}" height="90" '
        'font-family="sans-serif" font-size="11" fill="#888">'
        f'<path stroke="#4f6bed" stroke-width="{_BAR}" d="M{_DAY // 2} {_BASE}{bars}"/>'
        f"{labels}</svg>"
    )
