"""The generated rows, read with DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.eras import DATASETS
from taxi_assets.simulator.months import write_month

PICKUP = {
    "yellow": "tpep_pickup_datetime",
    "green": "lpep_pickup_datetime",
    "fhv": "pickup_datetime",
    "fhvhv": "pickup_datetime",
}
DROPOFF = {**PICKUP, "yellow": "tpep_dropoff_datetime", "green": "lpep_dropoff_datetime"} | {
    "fhv": "dropOff_datetime",
    "fhvhv": "dropoff_datetime",
}


def query_row(query: str) -> tuple[Any, ...]:
    """The one row that ``query`` gives."""
    with duckdb.connect() as connection:
        (row,) = connection.execute(query).fetchall()
    return tuple(row)


class Trips:
    """One generated month, to be queried."""

    def __init__(self, folder: Path, dataset: str, month: str, rows: int = 20_000) -> None:
        self.path = folder / f"{dataset}_{month}.parquet"
        write_month(dataset, Month.parse(month), self.path, rows=rows)

    def row(self, expression: str, where: str = "true") -> tuple[Any, ...]:
        return query_row(f"SELECT {expression} FROM '{self.path}' WHERE {where}")

    def count(self, where: str) -> int:
        return int(self.row("count(*)", where)[0])


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_few_pickups_are_outside_the_month_and_one_by_years(tmp_path: Path, dataset: str) -> None:
    trips, pickup = Trips(tmp_path, dataset, "2024-02"), PICKUP[dataset]
    assert 3 <= trips.count(f"{pickup} < '2024-02-01' OR {pickup} >= '2024-03-01'") <= 6
    assert trips.count(f"{pickup} < '2019-02-01'") >= 1


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_few_trips_end_before_they_begin(tmp_path: Path, dataset: str) -> None:
    trips = Trips(tmp_path, dataset, "2024-02")
    assert 2 <= trips.count(f"{DROPOFF[dataset]} < {PICKUP[dataset]}") <= 20


@pytest.mark.parametrize("dataset", DATASETS)
def test_in_november_trips_over_the_clock_change_end_up_to_an_hour_early(
    tmp_path: Path, dataset: str
) -> None:
    trips = Trips(tmp_path, dataset, "2024-11", rows=100_000)
    night = f"{PICKUP[dataset]} BETWEEN '2024-11-03 01:30:00' AND '2024-11-03 01:59:59'"
    early = f"{DROPOFF[dataset]} < {PICKUP[dataset]}"
    assert trips.count(f"{night} AND {early}") >= 3
    assert trips.count(f"{night} AND NOT {early}") >= 3  # the second half past one


@pytest.mark.parametrize("dataset", DATASETS)
def test_in_march_no_trip_is_in_the_skipped_hour(tmp_path: Path, dataset: str) -> None:
    trips, pickup = Trips(tmp_path, dataset, "2024-03", rows=50_000), PICKUP[dataset]
    skipped = "'2024-03-10 02:00:00' AND '2024-03-10 02:59:59'"
    assert trips.count(f"{pickup} BETWEEN {skipped}") == 0
    assert trips.count(f"{DROPOFF[dataset]} BETWEEN {skipped}") == 0
    assert trips.count(f"{pickup}::date = '2024-03-10'") > 500


@pytest.mark.parametrize("dataset", DATASETS)
def test_demand_follows_the_day_and_the_week(tmp_path: Path, dataset: str) -> None:
    trips, pickup = Trips(tmp_path, dataset, "2024-02", rows=50_000), PICKUP[dataset]
    assert trips.count(f"hour({pickup}) = 18") > 3 * trips.count(f"hour({pickup}) = 4")
    # Four of each weekday except Thursday: February 2024 has 29 days.
    assert trips.count(f"dayofweek({pickup}) = 6") > 1.05 * trips.count(f"dayofweek({pickup}) = 1")


@pytest.mark.parametrize("dataset", DATASETS)
def test_zones_are_valid_and_some_are_264_or_265(tmp_path: Path, dataset: str) -> None:
    column = "PUlocationID" if dataset == "fhv" else "PULocationID"
    trips = Trips(tmp_path, dataset, "2024-02", rows=50_000)
    assert trips.row(f"min({column}), max({column})") == (1, 265)
    assert trips.count(f"{column} = 264") > 100
    assert trips.count(f"{column} = 265") > 50


@pytest.mark.parametrize("dataset", ["yellow", "green"])
def test_a_reversal_follows_its_positive_row(tmp_path: Path, dataset: str) -> None:
    trips = Trips(tmp_path, dataset, "2024-02")
    negative = trips.count("total_amount < 0")
    twins = query_row(
        f"""
        WITH numbered AS (SELECT *, file_row_number AS n FROM
                          read_parquet('{trips.path}', file_row_number = true))
        SELECT count(*) FROM numbered back JOIN numbered charge ON charge.n = back.n - 1
        WHERE back.total_amount < 0
          AND charge.total_amount = -back.total_amount
          AND charge.fare_amount = -back.fare_amount
          AND charge.{PICKUP[dataset]} = back.{PICKUP[dataset]}
          AND charge.DOLocationID = back.DOLocationID
          AND charge.payment_type IN (3, 4)
        """
    )
    assert negative > 50
    assert twins == (negative,)


@pytest.mark.parametrize(("month", "share"), [("2021-06", 0.06), ("2025-02", 0.2)])
def test_details_are_null_together(tmp_path: Path, month: str, share: float) -> None:
    trips = Trips(tmp_path, "yellow", month)
    block = (
        "passenger_count IS NULL AND RatecodeID IS NULL AND store_and_fwd_flag IS NULL "
        "AND congestion_surcharge IS NULL AND Airport_fee IS NULL AND payment_type = 0"
    )
    whole = trips.count(block)
    assert whole == pytest.approx(20_000 * share, rel=0.15)
    assert trips.count("passenger_count IS NULL") == whole
    assert trips.count("payment_type = 0") == whole


def test_payment_and_trip_type_of_green_are_null_with_the_details(tmp_path: Path) -> None:
    trips = Trips(tmp_path, "green", "2024-02")
    hidden = trips.count("passenger_count IS NULL")
    assert hidden > 500
    assert trips.count(
        "passenger_count IS NULL AND payment_type IS NULL AND trip_type IS NULL"
    ) == (hidden)


def test_old_years_have_their_details(tmp_path: Path) -> None:
    trips = Trips(tmp_path, "yellow", "2015-03")
    assert trips.count("passenger_count IS NULL OR payment_type = 0") == 0


@pytest.mark.parametrize(
    ("dataset", "month", "parts"),
    [
        ("yellow", "2015-03", "improvement_surcharge"),
        ("yellow", "2022-05", "improvement_surcharge + congestion_surcharge + airport_fee"),
        (
            "yellow",
            "2025-03",
            "improvement_surcharge + congestion_surcharge + Airport_fee + cbd_congestion_fee",
        ),
        ("green", "2024-02", "improvement_surcharge + congestion_surcharge"),
    ],
)
def test_most_totals_are_the_sum_of_their_published_parts(
    tmp_path: Path, dataset: str, month: str, parts: str
) -> None:
    trips = Trips(tmp_path, dataset, month)
    whole = f"fare_amount + extra + mta_tax + tip_amount + tolls_amount + {parts}"
    complete = trips.count(f"{whole} IS NOT NULL")
    wrong = trips.count(f"abs(total_amount - ({whole})) > 0.005")
    assert complete > 15_000
    assert 0 < wrong < complete * 0.02


@pytest.mark.parametrize("dataset", ["yellow", "green"])
def test_some_distances_are_zero_and_a_few_absurd(tmp_path: Path, dataset: str) -> None:
    trips = Trips(tmp_path, dataset, "2024-02")
    assert 200 < trips.count("trip_distance = 0") < 800
    assert 1 <= trips.count("trip_distance > 500") <= 20


def test_2009_and_2010_have_text_codes(tmp_path: Path) -> None:
    old, newer = Trips(tmp_path, "yellow", "2009-05"), Trips(tmp_path, "yellow", "2010-05")
    assert old.row("list_sort(list(DISTINCT vendor_name))")[0] == ["CMT", "DDS", "VTS"]
    assert set(old.row("list(DISTINCT Payment_Type)")[0]) == {
        "CASH", "Cash", "Credit", "CREDIT", "No Charge", "Dispute",
    }  # fmt: skip
    assert {"CAS", "CSH", "CRE", "CRD", "NOC", "DIS", "NA "} <= set(
        newer.row("list(DISTINCT payment_type)")[0]
    )
    assert old.count("Trip_Pickup_DateTime SIMILAR TO '....-..-.. ..:..:..'") == 20_000
    assert old.count("mta_tax IS NOT NULL") == 0
    assert newer.count("mta_tax = 0.5 OR mta_tax = -0.5") == 20_000


@pytest.mark.parametrize("dataset", ["yellow", "green"])
def test_requests_since_2026_06_have_licenses_and_other_codes(tmp_path: Path, dataset: str) -> None:
    trips = Trips(tmp_path, dataset, "2026-06")
    sources = trips.row("list(DISTINCT request_source)", "request_source IS NOT NULL")[0]
    assert sorted(sources) == ["A", "CC", "EH0004", "EH0010", "HV0003", "HV0005"]
    assert 15_000 < trips.count("request_source IS NULL") < 17_000


def test_fhv_bases_and_zones_have_errors(tmp_path: Path) -> None:
    trips = Trips(tmp_path, "fhv", "2020-04")
    assert trips.count("dispatching_base_num <> trim(dispatching_base_num)") > 10
    assert trips.count("dispatching_base_num LIKE 'b%'") > 10
    assert trips.count("dispatching_base_num = ''") > 10
    assert 8_000 < trips.count("PUlocationID IS NULL") < 14_000


def test_fhv_has_a_placeholder_for_dropoffs_before_the_middle_of_2017(tmp_path: Path) -> None:
    before, after = Trips(tmp_path, "fhv", "2017-05"), Trips(tmp_path, "fhv", "2017-06")
    assert before.count("dropOff_datetime IS DISTINCT FROM '1989-01-01'") == 0
    assert before.count("DOlocationID IS NOT NULL") == 0
    assert after.count("dropOff_datetime IS NULL OR dropOff_datetime < '2000-01-01'") == 0
    assert after.count("DOlocationID IS NOT NULL") > 15_000


def test_fhv_zones_are_complete_where_they_are_whole_numbers(tmp_path: Path) -> None:
    def missing(month: str) -> tuple[bool, bool]:
        found = Trips(tmp_path, "fhv", month).row("count(PUlocationID), count(DOlocationID)")
        return found[0] < 20_000, found[1] < 20_000

    assert missing("2019-04") == missing("2019-07") == missing("2023-02") == (True, True)
    assert missing("2019-05") == (False, False)
    assert missing("2020-07") == (True, False)


def test_fhvhv_times_are_in_order_from_request_to_dropoff(tmp_path: Path) -> None:
    trips = Trips(tmp_path, "fhvhv", "2024-02")
    assert trips.count("request_datetime > pickup_datetime") == 0
    assert trips.count("on_scene_datetime NOT BETWEEN request_datetime AND pickup_datetime") == 0
    contradicting = "trip_time <> date_diff('second', pickup_datetime, dropoff_datetime)"
    assert 2 <= trips.count(contradicting) <= 60
    assert trips.count("hvfhs_license_num = 'HV0005' AND originating_base_num IS NOT NULL") == 0
    assert trips.row("list_sort(list(DISTINCT hvfhs_license_num))")[0] == ["HV0003", "HV0005"]
    assert trips.count("base_passenger_fare < 0") >= 2


def test_fhvhv_of_2019_has_all_four_companies(tmp_path: Path) -> None:
    trips = Trips(tmp_path, "fhvhv", "2019-03")
    assert trips.row("count(DISTINCT hvfhs_license_num)") == (4,)
