"""A month's counts survive the round trip through text, which fits into object metadata."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxi_assets.cleaning import MonthCounts, code_version
from taxi_assets.datasets import DATASETS, Action, DatasetSpec
from taxi_assets.lake import attributes
from taxi_assets.lake.objects import to_header
from taxi_assets.lake.store import NewObject

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
S3_METADATA_BYTES = 2048


def fullest(spec: DatasetSpec) -> MonthCounts:
    """The largest counts: every rule matches, and every day is a busy one of fhvhv."""
    return MonthCounts(
        published=25_000_000,
        clean=24_000_000,
        rejected=1_000_000,
        reasons={rule.name: 25_000_000 for rule in spec.rules_that(Action.REJECT)},
        flags={rule.name: 25_000_000 for rule in spec.rules_that(Action.FLAG)},
        per_day=(1_000_000,) * 31,
        nulled={column.name: 25_000_000 for column in spec.columns},
    )


@pytest.mark.parametrize("spec", DATASETS.values(), ids=DATASETS)
def test_counts_survive_the_round_trip_through_text(spec: DatasetSpec) -> None:
    counts = fullest(spec)
    assert MonthCounts.from_text(counts.to_text()) == counts
    assert counts.reject_share == 0.04


def test_counts_of_older_releases_are_read() -> None:
    text = (
        '{"published":3,"clean":2,"rejected":1,"reasons":{"pickup_missing":1},'
        '"flags":{"long_trip":2},"per_day":[2,0]}'
    )
    expected = MonthCounts(3, 2, 1, {"pickup_missing": 1}, {"long_trip": 2}, (2, 0), nulled={})
    assert MonthCounts.from_text(text) == expected


def test_the_order_of_reasons_survives_the_round_trip() -> None:
    counts = MonthCounts(10, 7, 3, {"most": 2, "fewer": 1}, {"b": 5, "a": 4}, (3, 4))
    again = MonthCounts.from_text(counts.to_text())
    assert (list(again.reasons), list(again.flags)) == (["most", "fewer"], ["b", "a"])


def test_the_reject_share_of_no_rows_is_zero() -> None:
    assert MonthCounts(0, 0, 0, {}, {}, ()).reject_share == 0.0


@pytest.mark.parametrize("spec", DATASETS.values(), ids=DATASETS)
def test_a_cleaned_months_attributes_fit_into_an_objects_metadata(spec: DatasetSpec) -> None:
    described = {
        attributes.VERSION: f"{'0' * 12}-{code_version(spec)}",
        attributes.SOURCE_URL: f"https://a-mirror.example.org/trip-data/{spec.name}" + "x" * 100,
        attributes.COUNTS: fullest(spec).to_text(),
        attributes.MISSING_PICKUPS: "25000000",
    }
    header = to_header(NewObject(Path(), "0" * 64, 25_000_000, described).described())
    assert sum(len(name) + len(text) for name, text in header.items()) < S3_METADATA_BYTES
