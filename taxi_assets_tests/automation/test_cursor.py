"""A cursor is stored and restored, and may be lost."""

from __future__ import annotations

import pytest

from taxi_assets.automation.cursor import Cursor
from taxi_assets.datasets import Month, months_between


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(Month(2024, 1), {Month(2024, 2): "green:2024-02:a:first"})
    assert Cursor.read(cursor.write()) == cursor


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "nonsense",
        "[]",
        "3",
        '{"form": 1, "position": null, "asked": {}}',
        '{"position": "x", "requested": {}}',
        '{"position": null, "requested": ["2024-01"]}',
        '{"position": null, "requested": {"January": "a"}}',
    ],
)
def test_a_cursor_of_another_format_is_read_as_an_empty_one(text: str | None) -> None:
    assert Cursor.read(text) == Cursor()


def test_the_cursor_of_a_dataset_whose_months_all_fail_is_small() -> None:
    key = f"yellow:2009-01:{'a' * 32}:{'b' * 36}"
    months = months_between(Month(2009, 1), Month(2030, 12))
    assert len(Cursor(requested=dict.fromkeys(months, key)).write()) < 32_000
