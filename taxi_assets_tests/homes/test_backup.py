"""A home restored from a backup, or touched, still knows its months."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from taxi_assets import cleaning
from taxi_assets.assets import clean
from taxi_assets.datasets import Month
from taxi_assets.lake.local import LocalStore
from taxi_assets.lake.store import sha256_of
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform

MONTH = "2024-01"


def restored(home: Path) -> Path:
    """From the copy that ``docs/operations.md`` describes, after the home was lost."""
    backup = home.with_name("backup")
    subprocess.run(["cp", "-a", home, backup], check=True)
    shutil.rmtree(home)
    subprocess.run(["cp", "-a", backup, home], check=True)
    return home


def touched(home: Path) -> Path:
    for path in home.rglob("*"):
        os.utime(path)
    return home


def copied_without_times(home: Path) -> Path:
    subprocess.run(["cp", "-r", home, home.with_name("copy")], check=True)
    return home.with_name("copy")


@pytest.mark.parametrize("change", [restored, touched, copied_without_times])
def test_its_months_are_unchanged_and_each_file_is_read_once(
    change: Callable[[Path], Path],
    tlc: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tlc.publish("green", Month.parse(MONTH), rows=200)
    Platform(tmp_path / "home", tlc.url).month("green", MONTH)
    home = change(tmp_path / "home")
    read: list[Path] = []

    def hashed(path: Path) -> str:
        read.append(path)
        return sha256_of(path)

    def refuse(*_: object, **__: object) -> cleaning.CleanedMonth:
        raise AssertionError("the month was cleaned again")

    monkeypatch.setattr(f"{LocalStore.__module__}.sha256_of", hashed)
    monkeypatch.setattr(clean, "clean_month", refuse)
    before = len(tlc.requests)
    platform = Platform(home, tlc.url)
    for _ in range(2):
        platform.month("green", MONTH)

    assert [each.status for each in tlc.requests[before:]] == [304, 304]
    for name in ("raw_trips", "clean_trips", "lake_trips"):
        lake = platform.metadata(f"green/{name}", MONTH)["lake"]
        assert lake == "in place already, nothing written"
    loaded = platform.metadata("green/warehouse_trips", MONTH)["warehouse"]
    assert loaded == "loaded in this version already, nothing moved"
    assert len(read) == len(set(read)) == len(list(platform.store.keys("")))
