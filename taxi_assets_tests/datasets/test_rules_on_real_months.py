"""The rules on real months: far below the reject limit, and with the known counts."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from taxi_assets.datasets import Action, dataset
from taxi_assets_tests.datasets.conditions import condition

TRIPS = Path(__file__).resolve().parents[3] / "shared" / "tlc" / "trip-data"

# Renamed by hand, independent of the mapping under test.
GREEN_ROWS = """
    SELECT lpep_pickup_datetime AS pickup_at, lpep_dropoff_datetime AS dropoff_at,
           PULocationID AS pickup_zone_id, DOLocationID AS dropoff_zone_id,
           trip_distance, passenger_count, total_amount, store_and_fwd_flag,
           NULL::VARCHAR AS request_source,
           regexp_extract(filename, '(\\d{4}-\\d{2})\\.parquet', 1) AS file_month,
           strptime(file_month || '-01', '%Y-%m-%d') AS month_start,
           month_start + INTERVAL 1 MONTH AS month_end
    FROM read_parquet(?, filename = true)
"""


def shares(rules: list[str]) -> dict[str, tuple[int, ...]]:
    """The row count of each real green month, then the count of each condition."""
    files = sorted(str(path) for path in TRIPS.glob("green_*.parquet"))
    if not files:
        pytest.skip("no real data")
    counts = ", ".join(f"count(*) FILTER ({rule})" for rule in rules)
    query = f"SELECT file_month, count(*), {counts} FROM ({GREEN_ROWS}) GROUP BY 1"
    with duckdb.connect(config={"threads": 1}) as duck:
        return {month: tuple(rest) for month, *rest in duck.execute(query, [files]).fetchall()}


def conditions_by_name(action: Action) -> dict[str, str]:
    """The green conditions, with the month's bounds from the file name."""
    return {
        rule.name: condition(rule, "month_start", "month_end")
        for rule in dataset("green").rules_that(action)
    }


def test_no_real_green_month_reaches_a_tenth_of_the_reject_limit() -> None:
    either = " OR ".join(
        f"coalesce({sql}, false)" for sql in conditions_by_name(Action.REJECT).values()
    )
    for month, (rows, rejects) in shares([either]).items():
        assert rejects / rows < dataset("green").max_reject_share / 10, month


def test_the_rules_match_the_known_counts_of_real_months() -> None:
    conditions = conditions_by_name(Action.REJECT) | conditions_by_name(Action.FLAG)
    months = shares(list(conditions.values()))
    rows, *matches = (sum(counts) for counts in zip(*months.values(), strict=True))
    total = dict(zip(conditions, matches, strict=True))
    assert rows == 957_241
    # Counted by hand; see the docstring of taxi_assets.datasets.rules.
    assert total["pickup_far_from_month"] == 18
    assert total["dropoff_before_pickup"] == 1
    assert total["dropoff_just_before_pickup"] == 262
    assert total["zero_duration"] == 1_095
    assert total["implausible_distance"] == 418
    assert total["passengers_unknown"] == 185_748
    assert total["unknown_code"] == total["zone_out_of_range"] == total["negative_distance"] == 0
