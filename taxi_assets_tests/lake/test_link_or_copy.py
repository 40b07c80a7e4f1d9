"""A private name for a file of the lake, on file systems with and without hard links."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from taxi_assets.lake.local import link_or_copy


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "trips.parquet"
    path.write_bytes(b"trips")
    return path


def test_a_link_has_the_content_after_its_source_is_replaced(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "held.parquet"
    link_or_copy(source, target)
    assert target.samefile(source)
    newer = tmp_path / "newer"
    newer.write_bytes(b"newer")
    newer.replace(source)
    assert target.read_bytes() == b"trips"


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK])
def test_a_copy_is_made_where_links_are_refused(
    number: int, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "held.parquet"
    link_or_copy(source, target)
    assert not target.samefile(source)
    assert target.read_bytes() == b"trips"


def test_an_existing_target_is_replaced(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "held.parquet"
    target.write_bytes(b"older")
    for _ in range(2):  # the second time, both are the same file already
        link_or_copy(source, target)
    assert target.read_bytes() == b"trips"
    assert {path.name for path in tmp_path.iterdir()} == {"trips.parquet", "held.parquet"}


def test_a_failed_copy_leaves_nothing(source: Path, tmp_path: Path) -> None:
    source.unlink()
    with pytest.raises(FileNotFoundError):
        link_or_copy(source, tmp_path / "held.parquet")
    assert list(tmp_path.iterdir()) == []
