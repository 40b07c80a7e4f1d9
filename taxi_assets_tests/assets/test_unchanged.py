"""An unchanged month is not downloaded, cleaned, copied or loaded again.

The lake is a bucket that records every request, which shows what was transferred. What the
warehouse knows of its months is tested in ``test_unchanged_warehouse``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from taxi_assets import cleaning
from taxi_assets.assets import clean
from taxi_assets.cleaning import version
from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.buckets import LAKE_URL, running_bucket
from taxi_assets_tests.assets.platform import Platform, failures, month_assets
from taxi_assets_tests.lake.gcs_stub import GcsStub

MONTH = "2024-01"
RAW = "raw/green/green_tripdata_2024-01.parquet"
STAGED = "staging/green/2024-01/trips.parquet"
TRIPS = "trips/green/year=2024/month=01/trips.parquet"
# The rejects, without their version.
STAGED_REJECTS = "staging/green/2024-01/rejects"
REJECTS = "rejects/green/year=2024/month=01/rejects"
IN_THE_LAKE = {RAW, STAGED, STAGED_REJECTS, TRIPS, REJECTS}


@dataclass(frozen=True)
class Place:
    """A TLC, a bucket and a platform with one loaded month."""

    tlc: Simulator
    bucket: GcsStub
    platform: Platform
    home: Path

    def mark(self) -> Mark:
        """The current state, for a later comparison."""
        generations = {name: each.generation for name, each in self.bucket.objects.items()}
        return Mark(generations, len(self.bucket.seen), len(self.tlc.requests))

    def written_since(self, mark: Mark) -> set[str]:
        """The objects written since, whatever their content."""
        now = self.mark().generations
        written = {name for name, number in now.items() if mark.generations.get(name) != number}
        return {_unversioned(name) for name in written}

    def statuses_since(self, mark: Mark) -> list[int]:
        """TLC's response statuses since."""
        return [request.status for request in self.tlc.requests[mark.requests :]]


@dataclass(frozen=True)
class Mark:
    generations: Mapping[str, int]
    seen: int
    requests: int


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Shared by tests that do not change the month."""
    with _place(tmp_path_factory.mktemp("unchanged")) as place:
        yield place


@pytest.fixture
def own_place(tmp_path: Path) -> Iterator[Place]:
    """For a test that changes the month."""
    with _place(tmp_path) as place:
        yield place


@contextmanager
def _place(folder: Path) -> Iterator[Place]:
    with Simulator(folder / "site") as tlc, running_bucket() as bucket:
        tlc.publish("green", Month.parse(MONTH), rows=300)
        platform = Platform(folder / "home", tlc.url, TAXI_LAKE_URL=LAKE_URL)
        platform.month("green", MONTH)
        assert sorted(map(_unversioned, bucket.objects)) == sorted(IN_THE_LAKE)
        yield Place(tlc, bucket, platform, folder / "home")


def test_nothing_is_downloaded_cleaned_copied_or_loaded_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean, "clean_month", _refuse)
    before = place.mark()
    place.platform.month("green", MONTH)
    assert place.statuses_since(before) == [304]
    assert place.written_since(before) == set()
    # Only the metadata of objects were requested.
    moved = [
        one.path
        for one in place.bucket.seen[before.seen :]
        if one.method != "GET" or one.query.get("alt") == "media"
    ]
    assert moved == []


def test_an_unchanged_months_metadata_say_so_and_are_otherwise_the_same(own_place: Place) -> None:
    names = ("raw_trips", "clean_trips", "lake_trips")
    platform = own_place.platform
    before = {name: platform.metadata(f"green/{name}", MONTH) for name in names}
    platform.month("green", MONTH)
    after = {name: platform.metadata(f"green/{name}", MONTH) for name in names}

    assert before["raw_trips"].pop("download").startswith("downloaded ")
    assert after["raw_trips"].pop("download") == "unchanged at TLC, not downloaded again"
    assert before["clean_trips"].pop("cleaning").startswith("cleaned into ")
    summary = after["clean_trips"].pop("cleaning")
    assert summary == "file and code unchanged, not cleaned again"
    for name in names:
        assert after[name].pop("lake") == "in place already, nothing written"
        assert _comparable(after[name]) == _comparable(before[name])


@pytest.mark.parametrize(
    ("asset", "written"),
    [
        ("raw_trips", {RAW}),
        ("clean_trips", {STAGED, STAGED_REJECTS}),
        ("lake_trips", {TRIPS, REJECTS}),
        ("warehouse_trips", set()),
    ],
)
def test_redo_materializes_one_asset_again(place: Place, asset: str, written: set[str]) -> None:
    before = place.mark()
    redo = {f"green/{asset}": {"redo": True}}
    result = place.platform.run(month_assets("green"), MONTH, config=redo)
    assert result.success, failures(result)
    assert place.written_since(before) == written
    assert place.statuses_since(before) == [200 if asset == "raw_trips" else 304]
    summary = place.platform.metadata("green/clean_trips", MONTH)["cleaning"]
    assert summary.startswith("cleaned into " if asset == "clean_trips" else "file and code unch")


@pytest.mark.parametrize(
    ("removed", "written"),
    [
        (RAW, {RAW}),
        (STAGED, {STAGED, STAGED_REJECTS}),
        (STAGED_REJECTS, {STAGED, STAGED_REJECTS}),
        (TRIPS, {TRIPS, REJECTS}),
        (REJECTS, {TRIPS, REJECTS}),
    ],
)
def test_only_the_asset_with_a_missing_object_is_written_again(
    place: Place, removed: str, written: set[str]
) -> None:
    before = place.mark()
    (name,) = (name for name in place.bucket.objects if _unversioned(name) == removed)
    del place.bucket.objects[name]
    place.platform.month("green", MONTH)
    assert place.written_since(before) == written


def test_a_new_code_version_cleans_again_without_downloading_again(
    own_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = own_place.mark()
    monkeypatch.setattr(version, "CLEANING", version.CLEANING + 1)
    later = Platform(own_place.home, own_place.tlc.url, TAXI_LAKE_URL=LAKE_URL)
    later.month("green", MONTH)
    assert own_place.statuses_since(before) == [304]
    assert own_place.written_since(before) == IN_THE_LAKE - {RAW}
    newer = later.version("green/warehouse_trips", MONTH)
    assert newer != own_place.platform.version("green/warehouse_trips", MONTH)
    stored = own_place.bucket.objects
    assert sorted(map(_unversioned, stored)) == sorted(IN_THE_LAKE)
    for key in stored.keys() - {RAW}:
        assert stored[key].metadata["version"] == newer


def test_a_reissue_is_downloaded_cleaned_and_copied(own_place: Place) -> None:
    before = own_place.mark()
    own_place.tlc.publish("green", Month.parse(MONTH), rows=280, seed=1)
    own_place.platform.month("green", MONTH)
    assert own_place.statuses_since(before) == [200]
    assert own_place.written_since(before) == IN_THE_LAKE
    assert own_place.platform.counts() == {MONTH: 280}


def _unversioned(name: str) -> str:
    return re.sub(r"/rejects-[-\w]+\.parquet$", "/rejects", name)


def _refuse(*arguments: Any, **more: Any) -> cleaning.CleanedMonth:
    raise AssertionError("the month was cleaned again")


def _comparable(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in metadata.items()}
