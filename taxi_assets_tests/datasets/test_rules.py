"""Each rule matches, in DuckDB, the rows it is named for and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import duckdb
import pytest

from taxi_assets.datasets import DATASETS, Action, DatasetSpec, Month, Type, dataset
from taxi_assets_tests.datasets.conditions import condition_in

JANUARY = Month(2024, 1)
GOOD_TRIP: dict[str, object] = {
    "pickup_at": "2024-01-15 12:00:00",
    "dropoff_at": "2024-01-15 12:20:00",
    "pickup_zone_id": 74,
    "dropoff_zone_id": 263,
    "trip_distance": 2.5,
    "passenger_count": 1,
    "total_amount": 17.5,
    "base_passenger_fare": 17.5,
}
SQL_TYPES = {
    Type.INTEGER: "BIGINT",
    Type.FLOAT: "DOUBLE",
    Type.STRING: "VARCHAR",
    Type.TIMESTAMP: "TIMESTAMP",
}
each_dataset = pytest.mark.parametrize("spec", DATASETS.values(), ids=DATASETS)


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def matched(
    duck: duckdb.DuckDBPyConnection,
    spec: DatasetSpec,
    trip: Mapping[str, object],
    month: Month = JANUARY,
) -> set[str]:
    """The names of the rules that match ``trip``; its missing columns are NULL."""
    row = ", ".join(f"CAST(? AS {SQL_TYPES[c.type]}) AS {c.name}" for c in spec.columns)
    conditions = ", ".join(f"({condition_in(rule, month)})" for rule in spec.rules)
    found = duck.execute(
        f"SELECT {conditions} FROM (SELECT {row})", [trip.get(c.name) for c in spec.columns]
    ).fetchall()[0]
    return {rule.name for rule, match in zip(spec.rules, found, strict=True) if match}


@each_dataset
def test_a_good_trip_matches_no_rule(spec: DatasetSpec, duck: duckdb.DuckDBPyConnection) -> None:
    assert matched(duck, spec, GOOD_TRIP) == set()


@each_dataset
def test_every_threshold_is_used_and_none_is_missing(spec: DatasetSpec) -> None:
    for rule in spec.rules:
        used = set(re.findall(r"{(\w+)}", rule.condition)) - {"month_start", "month_end"}
        assert used == set(rule.thresholds), rule.name
        assert "{" not in rule.explain()


@each_dataset
def test_only_impossible_times_reject_a_row(spec: DatasetSpec) -> None:
    assert [rule.name for rule in spec.rules_that(Action.REJECT)] == [
        "pickup_missing",
        "pickup_far_from_month",
        "dropoff_before_pickup",
    ]


@each_dataset
@pytest.mark.parametrize(
    ("pickup", "rules"),
    [
        ("2023-11-30 23:59:59", {"pickup_far_from_month", "pickup_outside_month"}),
        ("2023-12-01 00:00:00", {"pickup_outside_month"}),
        ("2023-12-31 23:59:59", {"pickup_outside_month"}),
        ("2024-01-01 00:00:00", set()),
        ("2024-01-31 23:59:59", set()),
        ("2024-02-01 00:00:00", {"pickup_outside_month"}),
        ("2024-03-02 23:59:59", {"pickup_outside_month"}),
        ("2024-03-03 00:00:00", {"pickup_far_from_month", "pickup_outside_month"}),
        (None, {"pickup_missing"}),
    ],
)
def test_pickups_outside_the_month(
    spec: DatasetSpec, duck: duckdb.DuckDBPyConnection, pickup: str | None, rules: set[str]
) -> None:
    assert matched(duck, spec, {**GOOD_TRIP, "pickup_at": pickup, "dropoff_at": None}) == rules


@each_dataset
@pytest.mark.parametrize(
    ("dropoff", "rules"),
    [
        ("2024-01-15 10:59:59", {"dropoff_before_pickup"}),
        ("2024-01-15 11:00:00", {"dropoff_just_before_pickup"}),
        ("2024-01-15 11:59:59", {"dropoff_just_before_pickup"}),
        ("2024-01-15 12:00:00", {"zero_duration"}),
        ("2024-01-15 12:00:01", set()),
        ("2024-01-16 00:00:00", set()),
        ("2024-01-16 00:00:01", {"long_trip"}),
        (None, set()),
    ],
)
def test_dropoffs_before_and_long_after_the_pickup(
    spec: DatasetSpec, duck: duckdb.DuckDBPyConnection, dropoff: str | None, rules: set[str]
) -> None:
    assert matched(duck, spec, {**GOOD_TRIP, "dropoff_at": dropoff}) == rules


@pytest.mark.parametrize("name", ["yellow", "green", "fhvhv"])
@pytest.mark.parametrize(
    ("miles", "rules"),
    [
        (0.0, {"zero_distance"}),
        (-0.1, {"negative_distance"}),
        (200.0, set()),
        (244152.01, {"implausible_distance"}),
    ],
)
def test_distances(
    name: str, duck: duckdb.DuckDBPyConnection, miles: float, rules: set[str]
) -> None:
    assert matched(duck, dataset(name), {**GOOD_TRIP, "trip_distance": miles}) == rules


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("total_amount", -17.5, "negative_amount"),
        ("passenger_count", 0, "zero_passengers"),
        ("passenger_count", None, "passengers_unknown"),
    ],
)
@pytest.mark.parametrize("name", ["yellow", "green"])
def test_unusual_meter_values_are_flagged(
    name: str, duck: duckdb.DuckDBPyConnection, column: str, value: object, rule: str
) -> None:
    assert matched(duck, dataset(name), {**GOOD_TRIP, column: value}) == {rule}


def test_a_refunded_fare_is_flagged(duck: duckdb.DuckDBPyConnection) -> None:
    trip = {**GOOD_TRIP, "base_passenger_fare": -0.01}
    assert matched(duck, dataset("fhvhv"), trip) == {"negative_fare"}


@each_dataset
@pytest.mark.parametrize("end", ["pickup_zone_id", "dropoff_zone_id"])
@pytest.mark.parametrize(
    ("zone", "rules"),
    [
        (1, set()),
        (263, set()),
        (264, {"unknown_zone"}),
        (265, {"unknown_zone"}),
        (None, {"unknown_zone"}),
        (0, {"zone_out_of_range"}),
        (266, {"zone_out_of_range"}),
    ],
)
def test_zones(
    spec: DatasetSpec,
    duck: duckdb.DuckDBPyConnection,
    end: str,
    zone: int | None,
    rules: set[str],
) -> None:
    assert matched(duck, spec, {**GOOD_TRIP, end: zone}) == rules


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("yellow", "store_and_fwd_flag"),
        ("green", "store_and_fwd_flag"),
        ("yellow", "request_source"),
        ("green", "request_source"),
        ("fhvhv", "access_a_ride_flag"),
        ("fhvhv", "wav_match_flag"),
        ("fhvhv", "license_num"),
    ],
)
def test_text_that_is_no_code_is_flagged(
    duck: duckdb.DuckDBPyConnection, name: str, column: str
) -> None:
    spec = dataset(name)
    for code in (*spec.column(column).values, None):
        assert matched(duck, spec, {**GOOD_TRIP, column: code}) == set()
    for control in ("*", "2", "\x00", "y", " Y", "HV0006"):
        assert matched(duck, spec, {**GOOD_TRIP, column: control}) == {"unknown_code"}


def test_every_text_with_codes_is_covered_by_the_rule() -> None:
    for spec in DATASETS.values():
        coded = {c.name for c in spec.columns if c.type is Type.STRING and c.values}
        rules = [rule for rule in spec.rules if rule.name == "unknown_code"]
        assert len(rules) == bool(coded)
        assert all(name in rules[0].condition for name in coded)


@pytest.mark.parametrize(
    ("name", "month", "missing", "rules"),
    [
        ("yellow", Month(2010, 12), ("pickup_zone_id", "dropoff_zone_id"), set()),
        ("yellow", Month(2011, 1), ("pickup_zone_id", "dropoff_zone_id"), {"unknown_zone"}),
        ("fhv", Month(2017, 5), ("dropoff_zone_id", "dropoff_at"), set()),
        ("fhv", Month(2017, 5), ("pickup_zone_id",), {"unknown_zone"}),
        ("fhv", Month(2017, 6), ("dropoff_zone_id",), {"unknown_zone"}),
    ],
)
def test_a_missing_zone_matches_only_where_zones_were_published(
    duck: duckdb.DuckDBPyConnection,
    name: str,
    month: Month,
    missing: tuple[str, ...],
    rules: set[str],
) -> None:
    at = f"{month}-15 12:00:00"
    trip = {**GOOD_TRIP, "pickup_at": at, "dropoff_at": None} | dict.fromkeys(missing)
    assert matched(duck, dataset(name), trip, month) == rules


@pytest.mark.parametrize(
    ("longitude", "latitude", "rules"),
    [
        (-73.98, 40.75, set()),  # midtown
        (-74.18, 40.69, set()),  # Newark Airport
        (0.0, 0.0, {"outside_nyc"}),
        (-75.16, 39.95, {"outside_nyc"}),  # Philadelphia
        (None, None, set()),
    ],
)
@pytest.mark.parametrize("end", ["pickup", "dropoff"])
def test_coordinates_of_the_first_years(
    duck: duckdb.DuckDBPyConnection,
    end: str,
    longitude: float | None,
    latitude: float | None,
    rules: set[str],
) -> None:
    at = "2009-03-15 12:00:00"
    places = {
        f"{place}_{axis}": value
        for place in ("pickup", "dropoff")
        for axis, value in (("longitude", -73.98), ("latitude", 40.75))
    }
    odd = {f"{end}_longitude": longitude, f"{end}_latitude": latitude}
    trip = {**GOOD_TRIP, **places, **odd, "pickup_at": at, "dropoff_at": None}
    assert matched(duck, dataset("yellow"), trip, Month(2009, 3)) == rules
