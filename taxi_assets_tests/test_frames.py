"""A stored file that was damaged is named, at its footer or in the middle of a stream."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.errors import CorruptDownload
from taxi_assets.frames import read_parquet
from taxi_assets.lake.store import rows_of


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "trips.parquet"
    table = pa.table({"value": [os.urandom(8).hex() for _ in range(20_000)]})
    pq.write_table(table, path, row_group_size=10_000, compression="zstd")
    return path


def damage(path: Path, at: slice) -> None:
    content = bytearray(path.read_bytes())
    content[at] = bytes(len(content[at]))
    path.write_bytes(content)


def test_damage_in_the_middle_is_named(stored: Path) -> None:
    chunk = pq.read_metadata(stored).row_group(1).column(0)
    damage(stored, slice(chunk.data_page_offset, chunk.data_page_offset + 5_000))
    reader = read_parquet([stored], None)
    with pytest.raises(
        CorruptDownload, match=r"trips\.parquet cannot be read as Parquet"
    ) as raised:
        reader.read_all()
    assert str(raised.value).isprintable()
    assert rows_of(stored) == 20_000


def test_a_damaged_footer_is_named(stored: Path) -> None:
    damage(stored, slice(-200, -8))
    with pytest.raises(CorruptDownload, match=r"redo: true"):
        read_parquet([stored], None)
    assert rows_of(stored) is None


def test_a_missing_file_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_parquet([tmp_path / "none.parquet"], None)
    with pytest.raises(FileNotFoundError):
        rows_of(tmp_path / "none.parquet")
