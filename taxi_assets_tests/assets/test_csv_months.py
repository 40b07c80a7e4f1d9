"""Months from a mirror of CSV files: the same tables, and never beside Parquet's rows."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets_tests.assets import by_hand
from taxi_assets_tests.assets.by_hand import assert_same_rows
from taxi_assets_tests.assets.platform import Platform, facts, failures, month_assets
from taxi_assets_tests.tlc.site import Site

# As the mirror's months of 2019-01 to 2021-07 are; the values are invented.
GREEN = """\
VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,\
DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,\
ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type,congestion_surcharge

2,2020-01-01 00:31:19,2020-01-01 00:34:55,N,1,7,7,1,.79,5,0.5,0.5,1.58,0,,0.3,7.88,1,1,0
,2020-01-02 10:00:00,2020-01-02 10:20:00,,,74,168,,3.1,18.02,0,0,0,0,,0.3,18.32,,,
2,2008-12-31 23:02:37,2008-12-31 23:12:37,N,1,7,7,1,1.2,5,0.5,0.5,0,0,,0.3,6.3,2,1,0
"""
YELLOW = """\
VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,\
store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,\
tolls_amount,improvement_surcharge,total_amount,congestion_surcharge
1,2020-01-01 00:28:15,2020-01-01 00:33:03,1,1.20,1,N,238,239,1,6,3,0.5,1.47,0,0.3,11.27,2.5
,2020-01-01 01:00:00,2020-01-01 01:20:00,,4.51,,,41,264,,18,0,0,0,0,0.3,20.8,2.5
2,2020-01-03 01:00:00,2020-01-02 01:20:00,0,.00,99,Y,41,265,3,-18,0,0,0,0,0.3,-17.7,0
"""
FHV = """\
dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag
B00001,2020-01-01 00:30:00,2020-01-01 01:44:00,264,264,
B00014,2020-01-01 00:00:03,2020-01-01 00:14:52,132,,1
B00014,2020-06-01 00:00:03,2020-06-01 00:14:52,132,7,
"""
FHVHV = """\
hvfhs_license_num,dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,\
SR_Flag
HV0003,B02864,2020-01-01 00:45:34,2020-01-01 01:02:20,148,163,
HV0005,B02510,2020-01-01 00:47:50,2020-01-01 00:53:23,114,265,1
HV0005,B02510,2020-01-01 00:47:50,2019-12-01 00:53:23,114,79,1
"""
MONTHS = {"green": GREEN, "yellow": YELLOW, "fhv": FHV, "fhvhv": FHVHV}
ACCEPTED = {"green/clean_trips": {"max_reject_share": 0.5}}


@pytest.fixture
def mirror() -> Iterator[Site]:
    """A site with a CSV month of each dataset, and one of green as Parquet."""
    site = Site()
    for dataset, text in MONTHS.items():
        site.publish(_path(dataset, "2020-01"), gzip.compress(text.encode()))
    names, *rows = csv.reader(filter(None, GREEN.splitlines()))
    values = [[value or None for value in column] for column in zip(*rows, strict=True)]
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(zip(names, values, strict=True))), sink)
    site.publish("/trip-data/green_tripdata_2020-02.parquet", sink.getvalue())
    yield site
    site.close()


def _platform(home: Path, mirror: Site, file_format: str) -> Platform:
    return Platform(home, mirror.url, TAXI_SOURCE_FORMAT=file_format)


def _path(dataset: str, month: str) -> str:
    return f"/{dataset}/{dataset}_tripdata_{month}.csv.gz"


def _by_hand(dataset: str, month: str, published: bytes) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = pd.read_csv(io.BytesIO(gzip.decompress(published)), dtype=str)
    return by_hand.clean(dataset, month, pa.Table.from_pandas(frame), "csv.gz")


def _assert_same(platform: Platform, dataset: str, month: str, published: bytes) -> None:
    trips, rejects = _by_hand(dataset, month, published)
    for name in ("lake_trips", "warehouse_trips"):
        assert_same_rows(platform.load([dataset, name], pd.DataFrame, month), trips)
    frame = platform.load([dataset, "lake_trips"], pd.DataFrame, month, part="rejects")
    assert_same_rows(frame, rejects)


def test_a_month_of_each_dataset_is_in_the_same_table_as_by_hand(
    tmp_path: Path, mirror: Site
) -> None:
    platform = _platform(tmp_path / "home", mirror, "csv.gz")
    for dataset, text in MONTHS.items():
        accepted = {f"{dataset}/clean_trips": {"max_reject_share": 0.5}}
        result = platform.run(month_assets(dataset), "2020-01", config=accepted)
        assert result.success, failures(result)
        published = gzip.compress(text.encode())
        _assert_same(platform, dataset, "2020-01", published)
        assert platform.query(f"SELECT count(*) FROM {dataset}_rejects") == [(1,)]
        raw = platform.store.root / f"raw{_path(dataset, '2020-01')}"
        assert gzip.decompress(raw.read_bytes()).decode() == text
        assert platform.metadata(f"{dataset}/raw_trips", "2020-01")["origin"] == "csv-mirror"
    stored = [platform.store.find(key) for key in platform.store.keys("")]
    assert {each.attributes["origin"] for each in stored if each} == {"csv-mirror"}
    assert platform.query("SELECT DISTINCT origin FROM loaded_months") == [("csv-mirror",)]


def test_a_second_run_does_nothing_again(tmp_path: Path, mirror: Site) -> None:
    platform = _platform(tmp_path / "home", mirror, "csv.gz")
    assert platform.run(month_assets("green"), "2020-01", config=ACCEPTED).success
    before = platform.everything_stored()
    assert platform.run(month_assets("green"), "2020-01", config=ACCEPTED).success
    assert platform.everything_stored() == before


@pytest.mark.parametrize("first", ["csv.gz", "parquet"])
def test_months_of_csv_and_of_parquet_are_never_stored_together(
    tmp_path: Path, mirror: Site, first: str
) -> None:
    months = {"csv.gz": "2020-01", "parquet": "2020-02"}
    before = _platform(tmp_path / "home", mirror, first)
    assert before.run(month_assets("green"), months.pop(first), config=ACCEPTED).success
    stored = before.everything_stored()
    ((other, month),) = months.items()
    why = facts(_platform(tmp_path / "home", mirror, other).run(month_assets("green"), month))
    assert why.error == "Misconfigured"
    assert "from a source of CSV (origin: csv-mirror)" in why.happened
    assert "from a source of Parquet (origin: mirror)" in why.happened
    assert before.everything_stored() == stored


def test_the_warehouse_refuses_the_other_format_of_another_lake(
    tmp_path: Path, mirror: Site
) -> None:
    first = _platform(tmp_path / "one", mirror, "csv.gz")
    assert first.run(month_assets("green"), "2020-01", config=ACCEPTED).success
    url = f"duckdb:///{first.warehouse}"
    second = Platform(tmp_path / "two", mirror.url, TAXI_WAREHOUSE_URL=url)
    why = facts(second.run(month_assets("green"), "2020-02", config=ACCEPTED))
    assert why.error == "Misconfigured"
    assert "has rows that are from a source of CSV (origin: csv-mirror)" in why.happened


def test_a_row_that_only_one_count_has_fails_the_audit(tmp_path: Path, mirror: Site) -> None:
    text = GREEN.replace(",N,", ',"N\n",', 1)  # a value with a line break, which no month has
    mirror.publish(_path("green", "2020-01"), gzip.compress(text.encode()))
    platform = _platform(tmp_path / "home", mirror, "csv.gz")
    why = facts(platform.run(month_assets("green"), "2020-01", config=ACCEPTED))
    assert why.error == "AuditFailed"
    assert "reconciled: 4 published, 2 clean + 1 rejected" in why.happened


def test_a_real_month_equals_the_same_month_by_hand(
    real_tlc: Path, tmp_path: Path, mirror: Site
) -> None:
    published = (real_tlc / "csv" / "green_tripdata_2020-10.csv.gz").read_bytes()
    mirror.publish(_path("green", "2020-10"), published)
    platform = _platform(tmp_path / "home", mirror, "csv.gz")
    platform.month("green", "2020-10")
    _assert_same(platform, "green", "2020-10", published)
    metadata = platform.metadata("green/raw_trips", "2020-10")
    assert metadata["sha256"] == hashlib.sha256(published).hexdigest()
    lines = gzip.decompress(published).count(b"\n")
    assert metadata["dagster/partition_row_count"] == lines - 1 == 95_120
