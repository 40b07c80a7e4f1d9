"""Values that mean NULL become NULL before the rules, and are counted by column."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.cleaning import clean_month
from taxi_assets.datasets import dataset
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Action, Rule, Type
from taxi_assets.errors import UncastableValue
from taxi_assets.simulator.months import write_month
from taxi_assets_tests.cleaning.files import clean, column, publish, spec

NOON = datetime(2024, 1, 2, 12)  # noqa: DTZ001 - naive by design
NEVER = datetime(1989, 1, 1)  # noqa: DTZ001
EARLY = Rule("early", Action.REJECT, "Before the pickup.", "value < pickup_at")


@pytest.mark.parametrize(
    ("type_", "nulls", "published", "values", "count"),
    [
        (Type.TIMESTAMP, ("1989-01-01 00:00:00",), [NEVER, NOON, None, NEVER], [NOON], 2),
        (
            Type.TIMESTAMP,
            ("1989-01-01 00:00:00",),
            ["1989-01-01 00:00:00", "2024-01-02 12:00:00", " ", None],
            [NOON],
            2,
        ),
        (Type.TIMESTAMP, (), [NOON, None], [NOON], 0),
        (Type.STRING, ("UNK", "NONE"), ["unk ", "None", "", "A", None], ["A"], 3),
        (Type.STRING, (), [" ", "", "A"], ["A"], 2),
        (Type.INTEGER, ("-1",), [-1, 7, None], [7], 1),
        (Type.INTEGER, (), [" ", "7", None], [7], 1),
        (Type.FLOAT, ("-1",), ["-1.0", "", "7"], [7.0], 2),
    ],
)
@pytest.mark.parametrize("statistics", [True, False])
def test_they_become_null_and_are_counted(
    type_: Type,
    nulls: tuple[str, ...],
    published: list[Any],
    values: list[Any],
    count: int,
    statistics: bool,
    tmp_path: Path,
) -> None:
    source = publish(tmp_path, pa.array(published))
    pq.write_table(pq.read_table(source), source, write_statistics=statistics)
    cleaned = clean(spec(column(type_, nulls=nulls)), source)
    found = pq.read_table(cleaned.trips)["value"].to_pylist()
    assert [value for value in found if value is not None] == values
    assert len(found) == len(published)
    assert cleaned.counts.nulled == ({"value": count} if count else {})


def test_the_rules_see_null(tmp_path: Path) -> None:
    source = publish(tmp_path, pa.array([NEVER, NOON, datetime(2024, 1, 1)]))  # noqa: DTZ001
    other = clean(spec(column(Type.TIMESTAMP), rules=(EARLY,)), source)
    assert other.counts.reasons == {"early": 2}
    value = column(Type.TIMESTAMP, nulls=("1989-01-01 00:00:00",))
    assert clean(spec(value, rules=(EARLY,)), source).counts.reasons == {"early": 1}


def test_values_of_rejected_rows_are_counted_too(tmp_path: Path) -> None:
    rule = Rule("all", Action.REJECT, "All.", "true")
    source = publish(tmp_path, pa.array(["", "A", None]))
    counts = clean(spec(column(Type.STRING), rules=(rule,)), source).counts
    assert (counts.rejected, counts.nulled) == (3, {"value": 1})


def test_they_do_not_hide_a_value_that_does_not_fit(tmp_path: Path) -> None:
    value = column(Type.INTEGER, nulls=("-1",))
    with pytest.raises(UncastableValue, match=r"'two' in row 1 \(1 such value\)"):
        clean(spec(value), publish(tmp_path, pa.array(["-1", "two", ""])))


def test_a_month_of_fhv_without_dropoffs_loses_no_trip(tmp_path: Path) -> None:
    source, month = tmp_path / "fhv_tripdata_2015-01.parquet", Month(2015, 1)
    write_month("fhv", month, source, rows=2_000)
    published = pq.read_table(source)
    assert set(published["dropOff_datetime"].to_pylist()) == {NEVER}
    cleaned = clean_month(dataset("fhv"), month, source, tmp_path / "cleaned")
    assert "dropoff_before_pickup" not in cleaned.counts.reasons
    assert cleaned.counts.nulled["dropoff_at"] == 2_000
    assert pq.read_table(cleaned.trips)["dropoff_at"].null_count == cleaned.counts.clean > 1_990


def test_a_real_month_without_such_values_counts_none(real_tlc: Path, tmp_path: Path) -> None:
    source = real_tlc / "trip-data" / "green_tripdata_2023-04.parquet"
    counts = clean_month(dataset("green"), Month(2023, 4), source, tmp_path / "cleaned").counts
    assert counts.nulled == {}
