"""A damaged file, a full disk and too little memory end in one line that names the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.cleaning import clean_month, published_types
from taxi_assets.datasets import dataset
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Action, Rule, Type
from taxi_assets.errors import CorruptDownload, Misconfigured, TaxiAssetsError
from taxi_assets.simulator.months import write_month
from taxi_assets_tests.cleaning.files import clean, column, publish, spec
from taxi_assets_tests.small_disk import small_disk

JANUARY = Month(2024, 1)
ODD = Path(__file__).resolve().parents[3] / "shared" / "tlc" / "odd"


def refused(source: Path, memory_limit: str = "512MB") -> TaxiAssetsError:
    folder = source.parent / "cleaned"
    with pytest.raises(TaxiAssetsError) as raised:
        clean_month(dataset("green"), JANUARY, source, folder, memory_limit=memory_limit)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 2_000
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    return raised.value


def green(path: Path, rows: int = 1_000) -> Path:
    write_month("green", JANUARY, path / "green_tripdata_2024-01.parquet", rows=rows)
    return path / "green_tripdata_2024-01.parquet"


def rewritten(source: Path, change: Callable[[bytearray], None]) -> None:
    content = bytearray(source.read_bytes())
    change(content)
    source.write_bytes(content)


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
def test_a_damaged_page_is_named_by_column_and_row_group(compression: str, tmp_path: Path) -> None:
    source = green(tmp_path)
    table = pq.read_table(source)
    pq.write_table(table, source, row_group_size=400, compression=compression, use_dictionary=False)
    chunk = pq.read_metadata(source).row_group(1).column(8)
    start, size = chunk.data_page_offset, chunk.total_compressed_size
    rewritten(source, lambda content: content.__setitem__(slice(start, start + size), bytes(size)))
    error = refused(source)
    assert type(error) is CorruptDownload
    name = pq.read_metadata(source).schema.column(8).path
    assert f"is damaged: row group 1 of {name} cannot be read (" in error.happened
    assert "redo: true" in error.remedy


def test_a_damaged_footer_is_named(tmp_path: Path) -> None:
    source = green(tmp_path)
    rewritten(source, lambda content: content.__setitem__(slice(-300, -8), bytes(292)))
    assert "its Parquet footer cannot be read (" in refused(source).happened


def test_a_damaged_hint_of_the_writer_is_named(tmp_path: Path) -> None:
    """Arrow refuses the whole footer for the schema that its own writers leave in it."""
    source = green(tmp_path)
    mark = b"ARROW:schema"
    rewritten(
        source,
        lambda content: content.__setitem__(
            slice(content.index(mark) + 16, content.index(mark) + 20), b"\x01\x02\x03\x04"
        ),
    )
    assert "its Parquet footer cannot be read (" in refused(source).happened


def test_the_types_of_a_file_are_those_that_are_read(tmp_path: Path) -> None:
    types = published_types(publish(tmp_path, pa.array(["a"]).dictionary_encode()))
    assert types == {"Pickup": "TIMESTAMP", "value": "VARCHAR"}
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no footer PAR1")
    with pytest.raises(CorruptDownload, match=r"Reading the columns of x\.parquet failed"):
        published_types(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("claimed", "says"),
    [(199, "says 199 rows, its row groups 200"), (2**40, "says 1,099,511,627,776 rows")],
)
def test_a_footer_that_contradicts_itself_is_refused(
    claimed: int, says: str, tmp_path: Path
) -> None:
    source = publish(tmp_path, pa.array(range(200)))
    rewritten(source, lambda content: _claim(content, 200, claimed))
    with pytest.raises(CorruptDownload, match=says):
        clean(spec(column(Type.INTEGER)), source)


def _claim(content: bytearray, rows: int, claimed: int) -> None:
    """Replace the file's row count, the last field before the row groups, as Thrift writes it."""
    size = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - size : -8]
    before = b"\x16" + _varint(rows) + b"\x19"  # field 3, i64; then field 4, a list
    assert footer.count(before) == 1
    changed = footer.replace(before, b"\x16" + _varint(claimed) + b"\x19")
    content[-8 - size :] = changed + len(changed).to_bytes(4, "little") + b"PAR1"


def _varint(number: int) -> bytes:
    number *= 2  # zigzag
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    source = green(tmp_path, rows=50_000)
    with small_disk():
        error = refused(source)
    assert type(error) is Misconfigured
    assert error.happened.startswith(
        "Cleaning green_tripdata_2024-01.parquet (green 2024-01) failed (DuckDB: "
    )
    assert "File too large" in error.happened
    assert error.remedy.startswith("Free space")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    source = green(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match=r"\(Not a directory: .*\)\. Choose another folder\."):
        clean_month(dataset("green"), JANUARY, source, tmp_path / "file" / "folder")


def test_too_little_memory_names_the_setting(tmp_path: Path) -> None:
    error = refused(green(tmp_path, rows=50_000), memory_limit="2MB")
    assert type(error) is Misconfigured
    assert error.remedy == "Increase TAXI_MEMORY_LIMIT."


def test_a_memory_limit_that_is_none_names_the_setting(tmp_path: Path) -> None:
    assert "TAXI_MEMORY_LIMIT" in refused(green(tmp_path), memory_limit="lots").remedy


def test_a_wrong_rule_is_no_damage(tmp_path: Path) -> None:
    wrong = Rule("wrong", Action.FLAG, "Wrong.", "no_such_column > 1")
    with pytest.raises(Misconfigured, match="Correct the rules in taxi_assets/datasets"):
        clean(spec(column(Type.INTEGER), rules=(wrong,)), publish(tmp_path, pa.array([1])))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "bad_utf8",
            r"store_and_fwd_flag has the text value b'Q\xff\xfe' in row 199 (1 such value), which "
            "is not UTF-8",
        ),
        ("ts_ms_overflow", "ms since 1970 in row 0 (1 such value), which is not between the years"),
    ],
)
def test_odd_files_that_were_found(name: str, message: str, tmp_path: Path) -> None:
    source = tmp_path / f"{name}.parquet"
    if not (ODD / source.name).exists():
        pytest.skip("no real data")
    source.write_bytes((ODD / source.name).read_bytes())
    assert message in refused(source).happened


def test_odd_files_that_are_good(tmp_path: Path) -> None:
    if not ODD.exists():
        pytest.skip("no real data")
    for name, rows in (("string_view", 200), ("zero_rows", 0)):
        counts = clean_month(dataset("green"), JANUARY, ODD / f"{name}.parquet", tmp_path).counts
        assert counts.clean + counts.rejected == counts.published == rows
