"""The keys of users' assets stay in their zone and are never those of another asset."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from taxi_assets.errors import Misconfigured
from taxi_assets.lake import keys

PIECES = [
    "a", "b", "A", "_", "__", "0", "2024", "-", "-01", ".", "..", "/", "\\", "~", "~2F", "~2f",
    "%", "|", "=", "partition=", ".parquet", " ", "\0", "\n", "é", "e\u0301", "É", "東",
    "\ud800", "?", "#", "trips", "assets", "year=2024", ":", "+", "*",
]  # fmt: skip

Name = tuple[tuple[str, ...], str | None]


def names(seed: int, count: int) -> Iterator[Name]:
    """Random asset keys and partition keys, of pieces that are likely to collide."""
    chance = random.Random(seed)

    def text() -> str:
        return "".join(chance.choices(PIECES, k=chance.choice((0, 1, 1, 1, 2, 3))))

    for _ in range(count):
        path = tuple(text() for _ in range(chance.choice((1, 1, 2, 2, 3))))
        yield path, chance.choice((None, text()))


@pytest.mark.parametrize("seed", range(4))
def test_no_two_names_share_a_key_even_where_case_is_ignored(seed: int) -> None:
    found: dict[str, Name] = {}
    for name in names(seed, 20_000):
        key = keys.other_asset(*name)
        assert found.setdefault(key.casefold(), name) == name


@pytest.mark.parametrize("seed", range(4))
def test_no_key_leaves_its_zone_or_is_a_folder_of_another(seed: int) -> None:
    for path, partition in names(seed, 20_000):
        key = keys.other_asset(path, partition)
        zone, *folders, file = key.split("/")
        assert zone == "assets"
        assert len(folders) == len(path) - (partition is None)
        assert file.endswith(".parquet")
        assert file.isascii()
        assert file.isprintable()
        assert not file.startswith(".")
        for folder in folders:
            assert folder
            assert "." not in folder
            assert folder.isprintable()


@pytest.mark.parametrize(
    ("path", "partition", "key"),
    [
        (["taxi_tips"], None, "assets/taxi_tips.parquet"),
        (["marts", "daily_trips"], None, "assets/marts/daily_trips.parquet"),
        (["green", "tips"], "2024-01", "assets/green/tips/2024-01.parquet"),
        (["tips"], "2024", "assets/tips/2024.parquet"),
        (["tips"], "2024-01-31", "assets/tips/2024-01-31.parquet"),
        (["tips"], "2024-01-31-05:00", "assets/tips/2024-01-31-05:00.parquet"),
        (["tips"], "2024-01|queens", "assets/tips/2024-01|queens.parquet"),
    ],
)
def test_ordinary_names_are_not_escaped(path: list[str], partition: str | None, key: str) -> None:
    assert keys.other_asset(path, partition) == key


@pytest.mark.parametrize(
    ("partition", "file"),
    [
        ("../../trips/green", "~2e.~2f..~2ftrips~2fgreen"),
        ("manhattan", "partition=manhattan"),
        ("", "partition="),
        (".", "partition=~2e"),
        ("a/b", "partition=a~2fb"),
        ("NY", "partition=~4e~59"),
    ],
)
def test_odd_partition_keys_are_escaped(partition: str, file: str) -> None:
    assert keys.other_asset(["tips"], partition) == f"assets/tips/{file}.parquet"


@pytest.mark.parametrize(
    ("path", "partition"), [(["x" * 201], None), (["x"], "é" * 100), (["x" * 150] * 6, None)]
)
def test_a_name_that_a_store_cannot_hold_is_refused(path: list[str], partition: str | None) -> None:
    with pytest.raises(Misconfigured, match="too long for the lake"):
        keys.other_asset(path, partition)
