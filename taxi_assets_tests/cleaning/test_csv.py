"""A month's CSV file is cleaned as it stands, or refused by the row that is at fault."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from taxi_assets.cleaning import CleanedMonth, clean_month, published_types
from taxi_assets.datasets import dataset
from taxi_assets.datasets.csv_columns import in_format
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.month import Month
from taxi_assets.errors import CorruptDownload, SchemaMismatch, UncastableValue

HEADER = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,"
    "PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,"
    "tip_amount,tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type,"
    "congestion_surcharge"
)
ROW = (
    "2,2020-10-0{day} 00:31:19,2020-10-0{day} 00:34:55,N,1,7,7,1,.79,5,0.5,0.5,1.58,0,,0.3,7.88,"
    "1,1,"
)
# Its pickup is missing, so that it is rejected with its number in the file.
BAD = ",,2020-10-01 00:34:55,N,1,7,7,1,.79,5,0.5,0.5,1.58,0,,0.3,7.88,1,1,0"


def rows(*days: int) -> list[str]:
    return [ROW.format(day=day) for day in days]


def cleaned(folder: Path, *lines: str, end: str = "\n", compressed: bool = True) -> CleanedMonth:
    name = "green_tripdata_2020-10.csv" + (".gz" if compressed else "")
    text = (end.join(lines) + end).encode()
    source = folder / name
    source.write_bytes(gzip.compress(text) if compressed else text)
    month = clean_month(
        in_format(dataset("green"), FileFormat.CSV_GZ), Month(2020, 10), source, folder / "cleaned"
    )
    assert {path.name for path in (folder / "cleaned").iterdir()} == {
        "trips.parquet",
        "rejects.parquet",
    }
    return month


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("compressed", [True, False])
def test_rows_are_those_of_the_file(tmp_path: Path, end: str, compressed: bool) -> None:
    month = cleaned(tmp_path, HEADER, *rows(1, 2), BAD, *rows(3), end=end, compressed=compressed)
    assert (month.counts.published, month.counts.clean, month.counts.rejected) == (4, 3, 1)
    trips, rejects = pd.read_parquet(month.trips), pd.read_parquet(month.rejects)
    assert sorted(trips["pickup_at"].dt.day) == [1, 2, 3]
    assert trips["trip_distance"].tolist() == [0.79] * 3
    assert trips[["ehail_fee", "congestion_surcharge"]].isna().all(axis=None)
    assert rejects["source_row"].tolist() == [2]
    suffix = "csv.gz" if compressed else "csv"
    assert set(trips["source_file"]) == {f"green_tripdata_2020-10.{suffix}"}


def test_blank_lines_blanks_in_the_header_and_quotes_are_no_damage(tmp_path: Path) -> None:
    quoted = rows(2)[0].replace(",N,", ',"N",')
    header = "\ufeff" + HEADER.replace(",trip_type,", ", trip_type ,")
    month = cleaned(tmp_path, header, "", "", *rows(1), "", quoted, BAD)
    assert month.counts.published == 3
    assert pd.read_parquet(month.trips)["store_and_fwd_flag"].tolist() == ["N", "N"]
    assert pd.read_parquet(month.rejects)["source_row"].tolist() == [2]


def test_surplus_values_that_are_empty_are_accepted(tmp_path: Path) -> None:
    month = cleaned(tmp_path, HEADER, "", *(f"{row},," for row in rows(1, 2)))
    assert month.counts.clean == 2


def test_a_surplus_value_is_refused_with_its_row(tmp_path: Path) -> None:
    lines = [f"{row},," for row in rows(*[1] * 2_000)]
    with pytest.raises(
        CorruptDownload, match=r"row 2000 has '9' as value 22, but its header has 20 names"
    ):
        cleaned(tmp_path, HEADER, *lines, rows(1)[0] + ",,9")


@pytest.mark.parametrize("row", [rows(1)[0] + ",", rows(1)[0][:-20]])
def test_a_row_of_another_length_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(CorruptDownload, match="Expected 20 columns, got"):
        cleaned(tmp_path, HEADER, *rows(1), row)
    assert list((tmp_path / "cleaned").iterdir()) == []


def test_rows_shorter_than_the_header_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptDownload, match="Expected 20 columns, got 19"):
        cleaned(tmp_path, HEADER, rows(1)[0].removesuffix(","))


def test_a_file_that_is_cut_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "green_tripdata_2020-10.csv.gz"
    whole = gzip.compress("\n".join([HEADER, *rows(*[1] * 5_000)]).encode())
    source.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptDownload, match=r"csv\.gz is damaged: it cannot be read as CSV"):
        clean_month(dataset("green"), Month(2020, 10), source, tmp_path / "cleaned")


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "green_tripdata_2020-10.csv"
    source.write_bytes("\n".join([HEADER, *rows(1)]).encode().replace(b",N,", b",\xff,"))
    with pytest.raises(CorruptDownload, match="cannot be read as CSV"):
        clean_month(dataset("green"), Month(2020, 10), source, tmp_path / "cleaned")


def test_a_month_without_rows_has_none(tmp_path: Path) -> None:
    assert cleaned(tmp_path, HEADER, "").counts.published == 0


def test_an_unknown_column_or_value_is_refused_as_in_parquet(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch, match=r"cost \(VARCHAR\) is unknown"):
        cleaned(tmp_path, HEADER + ",cost", rows(1)[0] + ",1")
    odd = rows(1)[0].replace(",.79,", ",far,")
    with pytest.raises(UncastableValue, match=r"trip_distance has the text value 'far' in row 1"):
        cleaned(tmp_path, HEADER, *rows(2), odd)


@pytest.mark.parametrize(
    "file",
    [
        "csv-headers/fhv_tripdata_2019-01.csv",
        "csv-headers/fhvhv_tripdata_2019-02.csv",
        "csv-headers/green_tripdata_2019-01.csv",
        "csv-headers/yellow_tripdata_2020-06.csv",
        "samples/yellow_tripdata_2021-01.head.csv",
    ],
)
def test_the_first_rows_of_real_months_reconcile(real_tlc: Path, tmp_path: Path, file: str) -> None:
    content = (real_tlc / file).read_bytes()
    lines = content[: content.rindex(b"\n") + 1]  # the last one is cut
    name, _, month = Path(file).name.split(".")[0].partition("_tripdata_")
    source = tmp_path / f"{name}_tripdata_{month}.csv"
    source.write_bytes(lines)
    spec = in_format(dataset(name), FileFormat.CSV)
    counts = clean_month(spec, Month.parse(month), source, tmp_path / "cleaned").counts
    assert counts.published == counts.clean + counts.rejected == lines.count(b"\n") - 1
    assert counts.clean > 0


def test_the_columns_of_a_file_are_those_of_its_header(tmp_path: Path) -> None:
    source = tmp_path / "green_tripdata_2013-08.csv"
    source.write_text('"VendorID", Trip_type \n')
    assert published_types(source) == {"VendorID": "VARCHAR", "Trip_type": "VARCHAR"}
