"""Counts in messages are singular or plural."""

from __future__ import annotations

import pytest

from taxi_assets.wording import counted


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 rejects"), (1, "1 reject"), (2_000, "2,000 rejects")]
)
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert counted(number, "reject") == text
