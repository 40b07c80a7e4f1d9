"""Every column name TLC has published belongs to exactly one canonical column."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets import DATASETS, DatasetSpec, Month, dataset, months_between
from taxi_assets.datasets.fhv import DROPOFFS_BEGIN

REAL = Path(__file__).resolve().parents[3] / "shared" / "tlc"

# Taken from the files TLC publishes, not from the specifications.
YELLOW_2009 = (
    "vendor_name Trip_Pickup_DateTime Trip_Dropoff_DateTime Passenger_Count Trip_Distance "
    "Start_Lon Start_Lat Rate_Code store_and_forward End_Lon End_Lat Payment_Type Fare_Amt "
    "surcharge mta_tax Tip_Amt Tolls_Amt Total_Amt"
)
YELLOW_2010 = (
    "vendor_id pickup_datetime dropoff_datetime passenger_count trip_distance pickup_longitude "
    "pickup_latitude rate_code store_and_fwd_flag dropoff_longitude dropoff_latitude payment_type "
    "fare_amount surcharge mta_tax tip_amount tolls_amount total_amount"
)
YELLOW_2011 = (
    "VendorID tpep_pickup_datetime tpep_dropoff_datetime passenger_count trip_distance RatecodeID "
    "store_and_fwd_flag PULocationID DOLocationID payment_type fare_amount extra mta_tax "
    "tip_amount tolls_amount improvement_surcharge total_amount congestion_surcharge"
)
GREEN = (
    "VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID "
    "PULocationID DOLocationID passenger_count trip_distance fare_amount extra mta_tax tip_amount "
    "tolls_amount ehail_fee improvement_surcharge total_amount payment_type trip_type "
    "congestion_surcharge"
)
FHV = (
    "dispatching_base_num pickup_datetime dropOff_datetime PUlocationID DOlocationID SR_Flag "
    "Affiliated_base_number"
)
FHVHV = (
    "hvfhs_license_num dispatching_base_num originating_base_num request_datetime "
    "on_scene_datetime pickup_datetime dropoff_datetime PULocationID DOLocationID trip_miles "
    "trip_time base_passenger_fare tolls bcf sales_tax congestion_surcharge airport_fee tips "
    "driver_pay shared_request_flag shared_match_flag access_a_ride_flag wav_request_flag "
    "wav_match_flag"
)
ERAS = [
    ("yellow", "2009-01", "2009-12", YELLOW_2009),
    ("yellow", "2010-01", "2010-01", YELLOW_2010),
    ("yellow", "2010-02", "2010-03", f"{YELLOW_2010} __index_level_0__"),
    ("yellow", "2010-04", "2010-12", YELLOW_2010),
    ("yellow", "2011-01", "2023-01", f"{YELLOW_2011} airport_fee"),
    ("yellow", "2023-02", "2024-12", f"{YELLOW_2011} Airport_fee"),
    ("yellow", "2025-01", "2026-05", f"{YELLOW_2011} Airport_fee cbd_congestion_fee"),
    (
        "yellow",
        "2026-06",
        "2026-07",
        f"{YELLOW_2011} Airport_fee cbd_congestion_fee request_source",
    ),
    ("green", "2014-01", "2024-12", GREEN),
    ("green", "2025-01", "2026-05", f"{GREEN} cbd_congestion_fee"),
    ("green", "2026-06", "2026-07", f"{GREEN} cbd_congestion_fee request_source"),
    ("fhv", "2015-01", "2026-07", FHV),
    ("fhvhv", "2019-02", "2024-12", FHVHV),
    ("fhvhv", "2025-01", "2026-07", f"{FHVHV} cbd_congestion_fee"),
]


def owners(spec: DatasetSpec, published: str) -> list[str]:
    """The canonical columns of that published name, and ``ignored``."""
    owning = [column.name for column in spec.columns if published in column.published_as]
    return owning + ["ignored"] * spec.ignored.count(published)


def assert_fits(spec: DatasetSpec, month: Month, header: list[str]) -> None:
    """Each name has one column, no column has two names, and no required column is missing."""
    found = {name: owners(spec, name) for name in header}
    assert {name: each for name, each in found.items() if len(each) != 1} == {}
    canonical = [each[0] for each in found.values() if each != ["ignored"]]
    assert len(canonical) == len(set(canonical))
    required = {column.name for column in spec.columns if column.expected_in(month)}
    assert required <= set(canonical)


@pytest.mark.parametrize(("name", "first", "last", "header"), ERAS)
def test_every_month_of_an_era_fits(name: str, first: str, last: str, header: str) -> None:
    for month in months_between(Month.parse(first), Month.parse(last)):
        assert_fits(dataset(name), month, header.split())


@pytest.mark.parametrize(("name", "first", "last", "header"), ERAS)
def test_a_missing_column_of_an_era_is_noticed(
    name: str, first: str, last: str, header: str
) -> None:
    for published in set(header.split()) - {"__index_level_0__"}:
        with pytest.raises(AssertionError):
            assert_fits(
                dataset(name), Month.parse(first), [c for c in header.split() if c != published]
            )


@pytest.mark.parametrize("spec", DATASETS.values(), ids=DATASETS)
def test_no_name_is_listed_that_was_never_published(spec: DatasetSpec) -> None:
    known = {name for era in ERAS if era[0] == spec.name for name in era[3].split()}
    listed = {name for column in spec.columns for name in column.published_as}
    assert listed | set(spec.ignored) == known


def test_the_real_files_fit() -> None:
    files = sorted((REAL / "trip-data").glob("*.parquet"))
    if not files:
        pytest.skip("no real data")
    for file in files:
        name, _, month = file.stem.split("_")
        assert_fits(dataset(name), Month.parse(month), pq.read_schema(file).names)


@pytest.mark.parametrize(
    ("name", "month", "file"),
    [
        ("yellow", "2020-04", "yellow_tripdatasample_2020-04.csv"),
        ("yellow", "2025-01", "yellow_tripdata_2025-01_sample.csv"),
        ("green", "2020-04", "green_tripdatasample_2020-04.csv"),
        ("fhv", "2020-04", "fhv_tripdatasample_2020-04.csv"),
        ("fhvhv", "2020-04", "fhvhv_tripdatasample_2020-04.csv"),
    ],
)
def test_extracts_of_real_files_fit(name: str, month: str, file: str) -> None:
    path = REAL / "samples" / file
    if not path.exists():
        pytest.skip("no real data")
    with path.open(newline="") as lines:
        assert_fits(dataset(name), Month.parse(month), next(csv.reader(lines)))


def test_the_number_of_columns_agrees_with_every_published_file_on_record() -> None:
    path = REAL / "reference" / "tlc_file_facts.csv"
    if not path.exists():
        pytest.skip("no real data")
    with path.open(newline="") as lines:
        for fact in csv.DictReader(lines):
            spec, month = dataset(fact["dataset"]), Month.parse(fact["month"])
            expected = sum(column.expected_in(month) for column in spec.columns)
            assert int(fact["columns"]) in (expected, expected + len(spec.ignored)), fact
            assert spec.first_month <= month


def test_fhv_files_have_dropoffs_since_the_month_of_the_specification() -> None:
    heads = sorted((REAL / "csv-headers").glob("fhv_*.csv"))
    if not heads:
        pytest.skip("no real data")
    with_dropoffs = [
        Month.parse(head.stem[-7:]) for head in heads if any(filter(None, _dropoffs(head)))
    ]
    assert min(with_dropoffs) == DROPOFFS_BEGIN
    with (REAL / "reference" / "tlc_file_facts.csv").open(newline="") as lines:
        bytes_a_row = {
            Month.parse(fact["month"]): int(fact["bytes"]) / int(fact["rows"])
            for fact in csv.DictReader(lines)
            if fact["dataset"] == "fhv"
        }
    assert all((size > 6) == (month >= DROPOFFS_BEGIN) for month, size in bytes_a_row.items())


def _dropoffs(head: Path) -> list[str]:
    """The dropoff times of the first lines of a CSV file, whose last line is cut off."""
    with head.open(newline="") as lines:
        trips = csv.DictReader(lines)
        return [
            value
            for trip in list(trips)[:-1]
            for name, value in trip.items()
            if name.lower() == "dropoff_datetime"
        ]


def test_the_first_months_are_those_of_the_oldest_files() -> None:
    first = {name: str(spec.first_month) for name, spec in DATASETS.items()}
    assert first == {
        "yellow": "2009-01",
        "green": "2014-01",
        "fhv": "2015-01",
        "fhvhv": "2019-02",
    }


def test_a_file_is_named_as_published() -> None:
    assert dataset("fhvhv").file_name(Month(2019, 2)) == "fhvhv_tripdata_2019-02.parquet"
