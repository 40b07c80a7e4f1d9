"""What a sensor remembers is small, survives, and may be lost."""

from __future__ import annotations

import pytest

from taxi_assets.automation.cursor import Cursor, next_slice
from taxi_assets.datasets import Month, months_between

YEAR = list(months_between(Month(2024, 1), Month(2024, 12)))[::-1]


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(Month(2024, 1), {Month(2024, 2): '"a"', Month(2024, 3): 'W/"b"'})
    assert Cursor.read(cursor.write()) == cursor


@pytest.mark.parametrize(
    "text",
    [None, "", "nonsense", "[]", "3", '{"form": 2}', '{"form": 1, "position": "x", "asked": {}}'],
)
def test_a_cursor_of_another_form_is_a_fresh_one(text: str | None) -> None:
    assert Cursor.read(text) == Cursor()


def test_the_cursor_is_bounded_to_the_newest_months() -> None:
    many = {Month(1900, 1).plus(index): f'"{index:032x}"' for index in range(2000)}
    written = Cursor(asked=many).write()
    assert len(written) < 40_000
    assert max(Cursor.read(written).asked) == max(many)


def test_slices_cover_all_months_and_begin_anew() -> None:
    position, seen = None, []
    for _ in range(3):
        part, position = next_slice(YEAR, position, 5)
        seen += part
    assert seen == YEAR
    assert position is None


def test_a_walk_goes_on_although_its_month_is_gone() -> None:
    part, _ = next_slice(YEAR[6:], YEAR[3], 2)
    assert part == YEAR[6:8]


def test_a_walk_whose_rest_is_gone_begins_anew() -> None:
    part, _ = next_slice(YEAR[:3], YEAR[5], 2)
    assert part == YEAR[:2]
