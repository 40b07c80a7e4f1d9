"""The version of a month changes with whatever affects its rows, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from taxi_assets.cleaning import code_version, version
from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Action, Column, DatasetSpec, Rule, Type
from taxi_assets.versions import LAYOUT, month_version

LATE = Rule("late", Action.REJECT, "Over {most}.", "value > {most}", {"most": 10, "least": 2})
VALUE = Column(
    "value",
    Type.INTEGER,
    "A value.",
    published_as=("value", "Value"),
    unit="USD",
    codes={"one": 1, "two": 2},
    values={1: "one", 2: "two"},
)
SPEC = DatasetSpec(
    name="boat",
    title="Boat trips",
    description="Trips by boat.",
    first_month=Month(2020, 1),
    pickup="pickup_at",
    columns=(Column("pickup_at", Type.TIMESTAMP, "When.", ("pickup",)), VALUE),
    rules=(Rule("even", Action.FLAG, "Even.", "value % 2 = 0"), LATE),
    max_reject_share=0.5,
    cluster_by=("pickup_at",),
    dictionary_url="https://example.org/boats.pdf",
)


def with_column(**changed: Any) -> DatasetSpec:
    return replace(SPEC, columns=(SPEC.columns[0], replace(VALUE, **changed)))


def with_rule(**changed: Any) -> DatasetSpec:
    return replace(SPEC, rules=(SPEC.rules[0], replace(LATE, **changed)))


@pytest.mark.parametrize(
    "other",
    [
        lambda: replace(SPEC, title="Trips by boat"),
        lambda: replace(SPEC, description="Of boats."),
        lambda: replace(SPEC, dictionary_url="https://example.org/new.pdf"),
        lambda: replace(SPEC, max_reject_share=0.1),
        lambda: replace(SPEC, unmeasured_until=Month(2021, 1), absurd_reject_share=0.6),
        lambda: replace(SPEC, cluster_by=("value",)),
        lambda: replace(SPEC, first_month=Month(2019, 1)),
        lambda: replace(SPEC, memory_heavy=True),
        lambda: replace(SPEC, ignored=("index",)),
        lambda: with_column(description="Another word for it."),
        lambda: with_column(unit="EUR"),
        lambda: with_column(values={1: "uno"}),
        lambda: with_column(since=Month(2021, 1), until=Month(2025, 1)),
        lambda: with_column(codes={"two": 2, "one": 1}),
        lambda: with_rule(description="Later than {most}."),
        lambda: with_rule(thresholds={"least": 2, "most": 10}),
    ],
)
def test_a_change_without_effect_on_rows_keeps_the_version(
    other: Callable[[], DatasetSpec],
) -> None:
    assert repr(other()) != repr(SPEC)
    assert code_version(other()) == code_version(SPEC)


@pytest.mark.parametrize(
    "other",
    [
        lambda: with_column(name="amount"),
        lambda: with_column(type=Type.FLOAT),
        lambda: with_column(published_as=("value",)),
        lambda: with_column(published_as=("Value", "value", "VALUE")),
        lambda: with_column(codes={"one": 1}),
        lambda: with_column(codes={"one": 1, "two": 3}),
        lambda: with_column(codes={}),
        lambda: with_column(nulls=("0",)),
        lambda: replace(SPEC, columns=SPEC.columns[:1]),
        lambda: replace(SPEC, columns=SPEC.columns[::-1]),
        lambda: replace(SPEC, pickup="value"),
        lambda: with_rule(name="too_late"),
        lambda: with_rule(condition="value >= {most}"),
        lambda: with_rule(thresholds={"most": 11, "least": 2}),
        lambda: with_rule(action=Action.FLAG),
        lambda: replace(SPEC, rules=SPEC.rules[:1]),
        lambda: replace(SPEC, rules=SPEC.rules[::-1]),
    ],
)
def test_a_change_that_affects_rows_changes_the_version(other: Callable[[], DatasetSpec]) -> None:
    assert code_version(other()) != code_version(SPEC)


def test_raising_the_cleaning_version_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_version(SPEC)
    monkeypatch.setattr(version, "CLEANING", version.CLEANING + 1)
    assert code_version(SPEC) != before


def test_a_months_version_combines_its_file_and_its_code() -> None:
    assert month_version(SPEC, "a" * 64) == f"{LAYOUT}-{'a' * 12}-{code_version(SPEC)}"
    assert month_version(SPEC, "b" * 64) != month_version(SPEC, "a" * 64)
    assert len({code_version(spec) for spec in DATASETS.values()}) == len(DATASETS)
