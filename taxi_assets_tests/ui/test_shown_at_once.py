"""What is too long, Dagster's pages hide behind a link; no browser is needed to count."""

from __future__ import annotations

import dagster as dg
import pytest

from taxi_assets.assets.presentation import cleaning_plots
from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets import DATASETS, DatasetSpec, Month, Type

# The pages show Markdown below 1000 characters; this counts as JavaScript does.
SHOWN = 1000
DECEMBER = Month(2024, 12)


@pytest.mark.parametrize("spec", DATASETS.values(), ids=list(DATASETS))
def test_the_fullest_month_is_shown_without_a_click(spec: DatasetSpec) -> None:
    days = tuple(999_999 - day for day in range(31))
    every_rule = {rule.name: 99_999_999 for rule in spec.rules}
    every_text = {column.name: 99_999_999 for column in spec.columns if column.type is Type.STRING}
    counts = MonthCounts(0, 0, 0, every_rule, every_rule, days, every_text)
    for name, plot in cleaning_plots(spec, DECEMBER, counts).items():
        assert isinstance(plot, dg.MarkdownMetadataValue)
        assert len((plot.md_str or "").encode("utf-16-le")) // 2 < SHOWN, name


def test_a_month_without_trips_or_rejects_says_so() -> None:
    plots = cleaning_plots(DATASETS["green"], DECEMBER, MonthCounts(0, 0, 0, {}, {}, (0,) * 31))
    assert {name: plot.value for name, plot in plots.items()} == {
        "trips_per_day": "no trips on any day of 2024-12",
        "rejects_by_reason": "none",
        "flags": "none",
        "published_as_null": "none",
    }


def test_the_plot_has_the_days_without_a_trip_too() -> None:
    counts = MonthCounts(4, 4, 0, {}, {}, (0, 4, *[0] * 29))
    plot = cleaning_plots(DATASETS["green"], DECEMBER, counts)["trips_per_day"]
    assert str(plot.value).endswith("most 4 on day 2, fewest 0 on day 1")
