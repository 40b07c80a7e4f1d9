from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.eras import DATASETS, era_starts, first_month, schema_for

GREEN_MONTHS = (
    "2020-03", "2020-04", "2020-08", "2021-01", "2021-02", "2023-01", "2023-02", "2023-03",
    "2023-04", "2024-01", "2024-12", "2025-01", "2025-02",
)  # fmt: skip


def type_of(dataset: str, month: str, column: str) -> str:
    return str(schema_for(dataset, Month.parse(month)).field(column).type)


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


@pytest.mark.parametrize(
    ("dataset", "month", "column", "kind"),
    [
        ("yellow", "2009-01", "Trip_Pickup_DateTime", "string"),
        ("yellow", "2009-12", "Rate_Code", "double"),
        ("yellow", "2009-12", "store_and_forward", "double"),
        ("yellow", "2009-12", "Payment_Type", "string"),
        ("yellow", "2010-01", "rate_code", "string"),
        ("yellow", "2010-12", "payment_type", "string"),
        ("yellow", "2010-03", "__index_level_0__", "int64"),
        ("yellow", "2018-12", "congestion_surcharge", "null"),
        ("yellow", "2020-07", "airport_fee", "null"),
        ("yellow", "2020-08", "airport_fee", "double"),
        ("yellow", "2020-10", "airport_fee", "null"),
        ("yellow", "2020-11", "airport_fee", "double"),
        ("yellow", "2023-01", "passenger_count", "double"),
        ("yellow", "2023-02", "passenger_count", "int64"),
        ("yellow", "2023-02", "VendorID", "int32"),
        ("yellow", "2023-02", "store_and_fwd_flag", "large_string"),
        ("green", "2019-08", "ehail_fee", "double"),
        ("green", "2019-09", "ehail_fee", "null"),
        ("green", "2023-01", "ehail_fee", "null"),
        ("green", "2023-02", "ehail_fee", "double"),
        ("fhvhv", "2019-02", "airport_fee", "null"),
        ("fhvhv", "2024-01", "airport_fee", "double"),
        ("fhvhv", "2023-02", "hvfhs_license_num", "large_string"),
    ],
)
def test_types_change_in_the_right_months(dataset: str, month: str, column: str, kind: str) -> None:
    assert type_of(dataset, month, column) == kind


@pytest.mark.parametrize("column", ["SR_Flag", "PUlocationID"])
def test_fhv_columns_have_had_several_types(column: str) -> None:
    kinds = {str(schema_for("fhv", month).field(column).type) for month in era_starts("fhv")}
    assert len(kinds) >= 3


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


def test_each_era_differs_from_the_one_before() -> None:
    for dataset in DATASETS:
        for start in era_starts(dataset)[1:]:
            assert schema_for(dataset, start) != schema_for(dataset, start.plus(-1))


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
