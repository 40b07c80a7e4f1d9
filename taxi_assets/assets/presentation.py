"""What a person sees of an asset and of a month: descriptions, schemas, lineage, plots.

Belongs here: turning specifications and counts into Dagster metadata. Does not: counting
(``cleaning``), recording (``months``).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import dagster as dg

from taxi_assets.cleaning import CleanedMonth
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.datasets.stored import Part, documentation, stored_columns

_WIDTH, _HEIGHT = 620, 120


def rules_table(spec: DatasetSpec) -> str:
    """The dataset's rules as a Markdown table, for the cleaned asset's description."""
    rows = [f"| `{rule.name}` | {rule.action}s | {rule.explain()} |" for rule in spec.rules]
    return "\n".join(["| rule | does | when |", "|---|---|---|", *rows])


def column_schema(spec: DatasetSpec, part: Part = Part.TRIPS) -> dg.TableSchema:
    """Every stored column with its type and meaning."""
    return dg.TableSchema(
        [
            dg.TableColumn(column.name, str(column.type), documentation(column))
            for column in stored_columns(spec, part)
        ]
    )


def lineage_from_raw(cleaned: CleanedMonth, raw: dg.AssetKey) -> dg.TableColumnLineage:
    """Which published column each clean one of this month comes from."""
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(raw, published)]
            for name, published in cleaned.published_names.items()
        }
    )


def same_columns(spec: DatasetSpec, upstream: dg.AssetKey) -> dg.TableColumnLineage:
    """Each column comes from the one of the same name upstream."""
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(upstream, column.name)]
            for column in stored_columns(spec, Part.TRIPS)
        }
    )


def cleaning_plots(cleaned: CleanedMonth) -> dict[str, dg.MetadataValue]:
    """Trips per day, and rows by rule, as small bar charts and tables."""
    within = {
        f"{day:%d}": count
        for day, count in cleaned.trips_per_day.items()
        if day is not None and (day.year, day.month) == (cleaned.month.year, cleaned.month.month)
    }
    title = f"{cleaned.spec.name} {cleaned.month}: trips per day"
    plots: dict[str, dg.MetadataValue] = {
        "trips_per_day": dg.MetadataValue.md(_bars(title, within)),
        "rejects_by_reason": dg.MetadataValue.md(_counts("reason", cleaned.reasons)),
        "flags": dg.MetadataValue.md(_counts("flag", cleaned.flags)),
    }
    return plots


def _counts(heading: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return "none"
    most = max(counts.values())
    rows = [
        f"| {name} | {count:,} | {'█' * max(1, round(20 * count / most))} |"
        for name, count in counts.items()
    ]
    return "\n".join([f"| {heading} | rows | |", "|---|---:|---|", *rows])


def _bars(title: str, values: Mapping[str, int]) -> str:
    """A bar chart as an SVG image inside Markdown; the UI shows images, not inline SVG."""
    if not values:
        return "no trips"
    most = max(values.values())
    svg = "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT + 34}" '
            'font-family="sans-serif" font-size="10">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT + 34}" fill="#ffffff"/>',
            f'<text x="4" y="12" fill="#333333">{title} (most: {most:,})</text>',
            *_bar_shapes(list(values.items()), most),
            "</svg>",
        ]
    )
    encoded = base64.b64encode(svg.encode()).decode()
    return f"![{title}](data:image/svg+xml;base64,{encoded})"


def _bar_shapes(values: Sequence[tuple[str, int]], most: int) -> list[str]:
    step = _WIDTH / len(values)
    shapes = []
    for index, (label, value) in enumerate(values):
        height = _HEIGHT * value / most
        left, top = index * step, 18 + _HEIGHT - height
        shapes.append(
            f'<rect x="{left + 1:.1f}" y="{top:.1f}" width="{step - 2:.1f}" '
            f'height="{height:.1f}" fill="#4f6bed"/>'
            f'<text x="{left + step / 2:.1f}" y="{_HEIGHT + 30}" text-anchor="middle" '
            f'fill="#333333">{label}</text>'
        )
    return shapes
