"""What is too long, Dagster's pages hide behind a link; no browser is needed to count."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from taxi_assets.assets.presentation import cleaning_plots
from taxi_assets.cleaning import CleanedMonth
from taxi_assets.datasets import DATASETS, DatasetSpec, Month

# The pages show Markdown below 1000 characters; this counts as JavaScript does.
SHOWN = 1000


@pytest.mark.parametrize("spec", DATASETS.values(), ids=list(DATASETS))
def test_the_fullest_month_is_shown_without_a_click(spec: DatasetSpec) -> None:
    days = {date(2024, 12, 1) + timedelta(days): 999_999 - days for days in range(31)}
    every_rule = {rule.name: 99_999_999 for rule in spec.rules}
    for name, plot in cleaning_plots(_month(spec, days, every_rule)).items():
        assert isinstance(plot, dg.MarkdownMetadataValue)
        assert len((plot.md_str or "").encode("utf-16-le")) // 2 < SHOWN, name


def test_a_month_without_trips_or_rejects_says_so() -> None:
    plots = cleaning_plots(_month(DATASETS["green"], {}, {}))
    assert {name: plot.value for name, plot in plots.items()} == {
        "trips_per_day": "no trips on any day of 2024-12",
        "rejects_by_reason": "none",
        "flags": "none",
    }


def test_days_of_other_months_are_not_in_the_plot_and_empty_days_are() -> None:
    days = {date(2024, 11, 30): 9, date(2024, 12, 2): 4}
    plot = cleaning_plots(_month(DATASETS["green"], days, {}))["trips_per_day"]
    assert str(plot.value).endswith("most 4 on day 2, fewest 0 on day 1")


def _month(spec: DatasetSpec, days: Mapping[date, int], rules: Mapping[str, int]) -> CleanedMonth:
    return CleanedMonth(
        spec=spec,
        month=Month(2024, 12),
        trips=Path(),
        rejects=Path(),
        published_rows=0,
        clean_rows=0,
        rejected_rows=0,
        reasons=rules,
        flags=rules,
        trips_per_day=days,
        published_names={},
    )
