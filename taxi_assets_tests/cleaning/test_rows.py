"""Every published row becomes exactly one trip or reject, for any file."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.cleaning import MonthCounts, clean_month
from taxi_assets.datasets import dataset
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Action, Rule, Type
from taxi_assets.simulator.eras import schema_for
from taxi_assets.simulator.months import write_month
from taxi_assets_tests.cleaning.files import clean, column, publish, spec

MANY = Rule("many", Action.REJECT, "Over {most}.", "value > {most}", {"most": 10})
ODD = Rule("odd", Action.REJECT, "Odd.", "value % 2 = 1")
SMALL = Rule("small", Action.FLAG, "Under {least}.", "value < {least}", {"least": 3})
EVEN = Rule("even", Action.FLAG, "Even.", "value % 2 = 0")


def at(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - naive by design


def test_all_reasons_and_flags_are_stored(tmp_path: Path) -> None:
    rules = (MANY, ODD, SMALL, EVEN)
    source = publish(tmp_path, pa.array([1, 2, 4, 11, 12, None]))
    cleaned = clean(spec(column(Type.INTEGER), rules=rules), source)

    trips = pq.read_table(cleaned.trips).to_pylist()
    assert {(row["value"], row["quality_flags"]) for row in trips} == {
        (2, "small,even"),
        (4, "even"),
        (None, None),
    }
    rejects = pq.read_table(cleaned.rejects).to_pylist()
    assert {
        (row["source_row"], row["reject_reasons"], row["quality_flags"]) for row in rejects
    } == {
        (0, "odd", "small"),
        (3, "many,odd", None),
        (4, "many", "even"),
    }
    assert cleaned.counts == MonthCounts(
        published=6,
        clean=3,
        rejected=3,
        reasons={"many": 2, "odd": 2},
        flags={"even": 2, "small": 1},
        per_day=(0, 3, *[0] * 29),
    )
    for row in trips + rejects:
        assert row["source_month"] == date(2024, 1, 1)
        assert row["source_file"] == "boat_tripdata_2024-01.parquet"


def test_without_rules_every_row_is_a_trip(tmp_path: Path) -> None:
    cleaned = clean(spec(column(Type.INTEGER)), publish(tmp_path, pa.array([1, 2])))
    assert (cleaned.counts.clean, cleaned.counts.rejected) == (2, 0)
    assert pq.read_table(cleaned.trips)["quality_flags"].null_count == 2


@pytest.mark.parametrize("name", ["yellow", "green", "fhv", "fhvhv"])
def test_a_file_without_rows_is_cleaned(name: str, tmp_path: Path) -> None:
    empty, full = tmp_path / "empty.parquet", tmp_path / "full.parquet"
    write_month(name, Month(2024, 1), empty, rows=0)
    write_month(name, Month(2024, 1), full, rows=50)
    cleaned = clean_month(dataset(name), Month(2024, 1), empty, tmp_path / "of-empty")
    assert cleaned.counts == MonthCounts(0, 0, 0, {}, {}, (0,) * 31)
    other = clean_month(dataset(name), Month(2024, 1), full, tmp_path / "of-full")
    assert pq.read_schema(cleaned.trips) == pq.read_schema(other.trips)
    assert pq.read_schema(cleaned.rejects) == pq.read_schema(other.rejects)


def test_the_night_the_clocks_go_back(tmp_path: Path) -> None:
    """A trip may end up to an hour before it began, because of the clock change, but no more."""
    begin = [at(2024, 11, 3, 1, 50)] * 4
    end = [
        at(2024, 11, 3, 1, 10),
        at(2024, 11, 3, 0, 50),
        at(2024, 11, 3, 0, 49),
        at(2024, 11, 3, 2),
    ]
    month = Month(2024, 11)
    schema = schema_for("green", month)
    table = pa.table(
        {
            field.name: pa.array(begin if "pickup" in field.name else end, field.type)
            if pa.types.is_timestamp(field.type)
            else pa.nulls(4, field.type)
            for field in schema
        },
        schema=schema,
    )
    source = tmp_path / "green_tripdata_2024-11.parquet"
    pq.write_table(table, source)
    cleaned = clean_month(dataset("green"), month, source, tmp_path / "cleaned")
    flagged = {
        row["dropoff_at"]: "dropoff_just_before_pickup" in (row["quality_flags"] or "")
        for row in pq.read_table(cleaned.trips).to_pylist()
    }
    assert flagged == {end[0]: True, end[1]: True, end[3]: False}
    (rejected,) = pq.read_table(cleaned.rejects).to_pylist()
    assert (rejected["dropoff_at"], rejected["reject_reasons"]) == (end[2], "dropoff_before_pickup")


def test_a_low_memory_limit_suffices(tmp_path: Path) -> None:
    source = tmp_path / "fhvhv_tripdata_2024-01.parquet"
    write_month("fhvhv", Month(2024, 1), source, rows=200_000)
    cleaned = clean_month(
        dataset("fhvhv"), Month(2024, 1), source, tmp_path / "cleaned", memory_limit="100MB"
    )
    counts = cleaned.counts
    assert counts.clean + counts.rejected == counts.published == 200_000


def test_row_numbers_are_right_across_row_groups(tmp_path: Path) -> None:
    source = tmp_path / "boat.parquet"
    rows = 10_000
    pq.write_table(
        pa.table({"Pickup": pa.array([at(2024, 1, 1)] * rows), "value": range(rows)}),
        source,
        row_group_size=997,
    )
    late = Rule("late", Action.REJECT, "Late.", "value >= 9000")
    cleaned = clean(spec(column(Type.INTEGER), rules=(late,)), source)
    rejects = pq.read_table(cleaned.rejects)
    assert rejects["source_row"].to_pylist() == rejects["value"].to_pylist()
    assert sorted(rejects["value"].to_pylist()) == list(range(9_000, rows))


@pytest.mark.parametrize("folder", ["O'Hara's \"boats\"", "a [b] *?", "50% #1; -- x"])
def test_any_name_of_folder_file_and_column(folder: str, tmp_path: Path) -> None:
    odd = column(Type.INTEGER, published_as=('it\'s "odd"',))
    times = pa.array([at(2024, 1, 1)], pa.timestamp("us"))
    (tmp_path / folder).mkdir()
    source = tmp_path / folder / "boat's.parquet"
    pq.write_table(pa.table({"Pickup": times, 'it\'s "odd"': [5]}), source)
    cleaned = clean(spec(odd), source, source_file="TLC's.parquet")
    (row,) = pq.read_table(cleaned.trips, partitioning=None).to_pylist()
    assert (row["value"], row["source_file"]) == (5, "TLC's.parquet")


def test_trips_are_counted_per_day_except_those_of_other_months(tmp_path: Path) -> None:
    source = tmp_path / "boat.parquet"
    days = [at(2024, 1, 31), at(2024, 2, 1), at(2024, 2, 1, 23), at(2024, 2, 29), at(2024, 3, 1)]
    pq.write_table(pa.table({"Pickup": pa.array([*days, None], pa.timestamp("us"))}), source)
    counts = clean(spec(), source, Month(2024, 2)).counts
    assert counts.per_day == (2, *[0] * 27, 1)
    assert counts.clean == 6
