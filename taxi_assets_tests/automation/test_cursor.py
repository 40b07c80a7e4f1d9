"""A cursor is stored and restored, and may be lost."""

from __future__ import annotations

import pytest

from taxi_assets.automation.cursor import Cursor
from taxi_assets.datasets import DATASETS, Month, months_between
from taxi_assets_tests.automation.garbage import FOREIGN, garbage

MONTHS = frozenset(months_between(DATASETS["green"].first_month, Month(2025, 12)))


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(Month(2024, 1), {Month(2024, 2): "green:2024-02:a:first"})
    assert Cursor.read(cursor.write(), "green", MONTHS) == cursor


@pytest.mark.parametrize("text", [None, *FOREIGN], ids=lambda text: str(text)[:40])
def test_a_cursor_that_is_not_its_own_is_read_as_an_empty_one(text: str | None) -> None:
    assert Cursor.read(text, "green", MONTHS) == Cursor()


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_cursor_has_only_months_and_run_keys_of_its_dataset(seed: int) -> None:
    own = Cursor(Month(2024, 1), {Month(2024, 2): "green:2024-02:a:first"}).write()
    for text in (*garbage(seed, 2_000), *(own[:cut] for cut in range(len(own)))):
        read = Cursor.read(text, "green", MONTHS)
        assert {read.position, *read.requested} <= MONTHS | {None}
        for month, run_key in read.requested.items():
            assert run_key.startswith(f"green:{month}:")


def test_the_cursor_of_a_dataset_whose_months_all_fail_is_small() -> None:
    key = f"yellow:2009-01:{'a' * 32}:{'b' * 36}"
    months = months_between(Month(2009, 1), Month(2030, 12))
    assert len(Cursor(requested=dict.fromkeys(months, key)).write()) < 32_000
