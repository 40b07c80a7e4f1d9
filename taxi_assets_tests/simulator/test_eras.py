from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets import Month, months_between
from taxi_assets.simulator.eras import DATASETS, era_starts, first_month, schema_for

GREEN_MONTHS = (
    "2020-03", "2020-04", "2020-08", "2021-01", "2021-02", "2023-01", "2023-02", "2023-03",
    "2023-04", "2024-01", "2024-12", "2025-01", "2025-02",
)  # fmt: skip


# Written by hand from the footers of the published files, not from the module under test: the
# columns of each type that are new or changed in a month; with times, it is a whole layout.
ERAS: dict[str, dict[str, dict[str, str]]] = {
    "yellow": {
        "2009-01": {
            "string": "vendor_name Trip_Pickup_DateTime Trip_Dropoff_DateTime Payment_Type",
            "int64": "Passenger_Count",
            "double": "Trip_Distance Start_Lon Start_Lat Rate_Code store_and_forward End_Lon"
            " End_Lat Fare_Amt surcharge mta_tax Tip_Amt Tolls_Amt Total_Amt",
        },
        "2010-01": {
            "string": "vendor_id rate_code store_and_fwd_flag payment_type",
            "timestamp[us]": "pickup_datetime dropoff_datetime",
            "int64": "passenger_count",
            "double": "trip_distance pickup_longitude pickup_latitude dropoff_longitude"
            " dropoff_latitude fare_amount surcharge mta_tax tip_amount tolls_amount total_amount",
        },
        "2010-02": {"int64": "rate_code __index_level_0__"},
        "2010-04": {"string": "rate_code", "dropped": "__index_level_0__"},
        "2011-01": {
            "int64": "VendorID passenger_count RatecodeID PULocationID DOLocationID payment_type",
            "timestamp[us]": "tpep_pickup_datetime tpep_dropoff_datetime",
            "string": "store_and_fwd_flag",
            "double": "trip_distance fare_amount extra mta_tax tip_amount tolls_amount"
            " improvement_surcharge total_amount",
            "null": "congestion_surcharge airport_fee",
        },
        "2011-02": {"double": "congestion_surcharge airport_fee"},
        "2011-03": {"null": "airport_fee"},
        "2011-04": {"null": "congestion_surcharge"},
        "2012-12": {"double": "congestion_surcharge"},
        "2013-01": {"null": "congestion_surcharge"},
        "2013-05": {"double": "congestion_surcharge"},
        "2013-06": {"null": "congestion_surcharge"},
        "2014-01": {"double": "congestion_surcharge"},
        "2014-02": {"null": "congestion_surcharge"},
        "2014-08": {"null": "improvement_surcharge"},
        "2014-09": {"double": "improvement_surcharge"},
        "2018-01": {"double": "congestion_surcharge airport_fee"},
        "2018-02": {"null": "congestion_surcharge airport_fee"},
        "2018-06": {"double": "congestion_surcharge"},
        "2018-07": {"double": "passenger_count RatecodeID", "null": "congestion_surcharge"},
        "2018-09": {"double": "congestion_surcharge"},
        "2018-10": {"null": "congestion_surcharge"},
        "2018-11": {"double": "congestion_surcharge"},
        "2018-12": {"null": "congestion_surcharge"},
        "2019-01": {"double": "congestion_surcharge"},
        "2020-08": {"double": "airport_fee"},
        "2020-10": {"null": "airport_fee"},
        "2020-11": {"double": "airport_fee"},
        "2023-02": {
            "timestamp[us]": "tpep_pickup_datetime tpep_dropoff_datetime",
            "int32": "VendorID PULocationID DOLocationID",
            "int64": "passenger_count RatecodeID payment_type",
            "large_string": "store_and_fwd_flag",
            "double": "trip_distance fare_amount extra mta_tax tip_amount tolls_amount"
            " improvement_surcharge total_amount congestion_surcharge Airport_fee",
        },
        "2025-01": {"double": "cbd_congestion_fee"},
        "2026-06": {"large_string": "request_source"},
    },
    "green": {
        "2014-01": {
            "int64": "VendorID RatecodeID PULocationID DOLocationID passenger_count payment_type",
            "timestamp[us]": "lpep_pickup_datetime lpep_dropoff_datetime",
            "string": "store_and_fwd_flag",
            "double": "trip_distance fare_amount extra mta_tax tip_amount tolls_amount ehail_fee"
            " improvement_surcharge total_amount trip_type",
            "null": "congestion_surcharge",
        },
        "2014-02": {"null": "improvement_surcharge ehail_fee"},
        "2014-03": {"double": "improvement_surcharge"},
        "2018-10": {"double": "ehail_fee"},
        "2019-01": {"double": "passenger_count RatecodeID payment_type congestion_surcharge"},
        "2019-09": {"null": "ehail_fee"},
        "2023-02": {
            "timestamp[us]": "lpep_pickup_datetime lpep_dropoff_datetime",
            "int32": "VendorID PULocationID DOLocationID",
            "int64": "passenger_count RatecodeID payment_type trip_type",
            "large_string": "store_and_fwd_flag",
            "double": "trip_distance fare_amount extra mta_tax tip_amount tolls_amount ehail_fee"
            " improvement_surcharge total_amount congestion_surcharge",
        },
        "2025-01": {"double": "cbd_congestion_fee"},
        "2026-06": {"large_string": "request_source"},
    },
    "fhv": {
        "2015-01": {
            "string": "dispatching_base_num Affiliated_base_number",
            "timestamp[us]": "pickup_datetime dropOff_datetime",
            "double": "PUlocationID DOlocationID",
            "null": "SR_Flag",
        },
        "2017-05": {"double": "SR_Flag"},
        "2019-03": {"null": "SR_Flag"},
        "2019-05": {"int64": "PUlocationID DOlocationID"},
        "2019-07": {"double": "PUlocationID DOlocationID"},
        "2020-07": {"int64": "DOlocationID"},
        "2020-08": {"double": "DOlocationID"},
        "2023-02": {
            "int64": "PUlocationID DOlocationID SR_Flag",
            "large_string": "dispatching_base_num Affiliated_base_number",
        },
    },
    "fhvhv": {
        "2019-02": {
            "string": "hvfhs_license_num dispatching_base_num originating_base_num"
            " shared_request_flag shared_match_flag access_a_ride_flag wav_request_flag",
            "timestamp[us]": "request_datetime on_scene_datetime pickup_datetime dropoff_datetime",
            "int64": "PULocationID DOLocationID trip_time",
            "double": "trip_miles base_passenger_fare tolls bcf sales_tax congestion_surcharge tips"
            " driver_pay",
            "null": "airport_fee wav_match_flag",
        },
        "2019-04": {"string": "wav_match_flag"},
        "2019-07": {"double": "airport_fee"},
        "2020-04": {"null": "airport_fee"},
        "2020-05": {"double": "airport_fee"},
        "2020-10": {"null": "airport_fee"},
        "2020-11": {"double": "airport_fee"},
        "2023-02": {
            "int32": "PULocationID DOLocationID",
            "large_string": "hvfhs_license_num dispatching_base_num originating_base_num"
            " shared_request_flag shared_match_flag access_a_ride_flag wav_request_flag"
            " wav_match_flag",
        },
        "2025-01": {"double": "cbd_congestion_fee"},
    },
}


@pytest.mark.parametrize("month", GREEN_MONTHS)
def test_green_schemas_are_those_of_the_real_files(real_tlc: Path, month: str) -> None:
    real = pq.read_schema(real_tlc / "trip-data" / f"green_tripdata_{month}.parquet")
    assert schema_for("green", Month.parse(month)).equals(real, check_metadata=False)


def test_every_known_file_has_as_many_columns(real_tlc: Path) -> None:
    with (real_tlc / "reference" / "tlc_file_facts.csv").open(newline="") as file:
        facts = list(csv.DictReader(file))
    assert len(facts) == 487
    wrong = [
        (fact["dataset"], fact["month"], fact["columns"])
        for fact in facts
        if len(schema_for(fact["dataset"], Month.parse(fact["month"]))) != int(fact["columns"])
    ]
    assert wrong == []


def test_yellow_of_2025_names_its_columns_as_the_real_sample(real_tlc: Path) -> None:
    real = pq.read_schema(real_tlc / "samples" / "yellow_tripdata_sample_2025.parquet")
    # Names only: the sample was written by pandas, which changed the types.
    assert schema_for("yellow", Month(2025, 2)).names == real.names


@pytest.mark.parametrize(("dataset", "month"), [("fhvhv", "2020-04"), ("fhv", "2020-04")])
def test_dispatched_trips_name_their_columns_as_the_real_samples(
    real_tlc: Path, dataset: str, month: str
) -> None:
    with (real_tlc / "samples" / f"{dataset}_tripdatasample_{month}.csv").open(newline="") as file:
        header = next(csv.reader(file))
    assert schema_for(dataset, Month.parse(month)).names == header


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_eras_are_those_of_the_published_footers(dataset: str) -> None:
    assert [str(month) for month in era_starts(dataset)] == list(ERAS[dataset])


@pytest.mark.parametrize("dataset", DATASETS)
def test_each_month_has_the_published_types(dataset: str) -> None:
    known: dict[str, str] = {}
    for month in months_between(first_month(dataset), Month(2026, 8)):
        era = ERAS[dataset].get(str(month), {})
        known = {} if "timestamp[us]" in era else known
        known |= {name: kind for kind, names in era.items() for name in names.split()}
        known = {name: kind for name, kind in known.items() if kind != "dropped"}
        found = {field.name: str(field.type) for field in schema_for(dataset, month)}
        assert found == known, month


@pytest.mark.parametrize(
    ("dataset", "month", "last"),
    [
        ("yellow", "2010-01", "total_amount"),
        ("yellow", "2010-02", "__index_level_0__"),
        ("yellow", "2010-04", "total_amount"),
        ("yellow", "2023-01", "airport_fee"),
        ("yellow", "2023-02", "Airport_fee"),
        ("yellow", "2024-12", "Airport_fee"),
        ("yellow", "2025-01", "cbd_congestion_fee"),
        ("yellow", "2026-06", "request_source"),
        ("green", "2026-06", "request_source"),
        ("fhvhv", "2024-12", "wav_match_flag"),
        ("fhvhv", "2025-01", "cbd_congestion_fee"),
        ("fhvhv", "2026-06", "cbd_congestion_fee"),
    ],
)
def test_columns_are_appended_in_the_right_months(dataset: str, month: str, last: str) -> None:
    assert schema_for(dataset, Month.parse(month)).names[-1] == last


def test_a_timestamp_is_naive_and_in_microseconds_or_text() -> None:
    for dataset in DATASETS:
        for start in era_starts(dataset):
            for field in schema_for(dataset, start):
                if "datetime" in field.name.lower():
                    assert field.type in (pa.timestamp("us"), pa.string())


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_month_before_the_first_cannot_exist(dataset: str) -> None:
    before = first_month(dataset).plus(-1)
    with pytest.raises(
        ValueError, match=f"{dataset} {before} cannot exist.*since {before.plus(1)}"
    ):
        schema_for(dataset, before)


def test_an_unknown_dataset_is_named() -> None:
    with pytest.raises(ValueError, match="'black' is not a dataset"):
        schema_for("black", Month(2024, 1))
