"""A file whose columns do not fit fails the month; the error names them and what to edit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Column, Type
from taxi_assets.errors import SchemaMismatch
from taxi_assets_tests.cleaning.files import JANUARY, clean, column, publish, spec

NUMBERS = pa.array([1, 2, 3])


def refusal(folder: Path, *columns: Column, values: pa.Array = NUMBERS) -> str:
    with pytest.raises(SchemaMismatch) as refused:
        clean(spec(*columns), publish(folder, values))
    assert list((folder / "cleaned").glob("*")) == []
    return str(refused.value)


def test_an_unknown_column_is_named_with_its_type(tmp_path: Path) -> None:
    message = refusal(tmp_path)
    assert message == (
        "boat_tripdata_2024-01.parquet does not fit the specification of boat for 2024-01: "
        "value (BIGINT) is unknown. Nothing was stored. If TLC changed the file permanently, edit "
        "taxi_assets/datasets/boat.py and run the month again."
    )


def test_another_spelling_is_an_unknown_column(tmp_path: Path) -> None:
    message = refusal(tmp_path, column(Type.INTEGER, published_as=("Value", "VALUE")))
    assert "value (BIGINT) is unknown" in message
    assert "value (INTEGER) is missing: no column Value or VALUE" in message


def test_a_column_is_required_only_in_its_months(tmp_path: Path) -> None:
    value = column(Type.INTEGER)
    late = Column(
        "late", Type.FLOAT, "Later.", ("late",), since=Month(2024, 2), until=Month(2024, 3)
    )
    source = publish(tmp_path, NUMBERS)
    for month in (JANUARY, Month(2024, 4)):
        rows = pq.read_table(clean(spec(value, late), source, month).trips)
        assert rows["late"].null_count == rows.num_rows == 3
    for month in (Month(2024, 2), Month(2024, 3)):
        with pytest.raises(SchemaMismatch, match=r"late \(FLOAT\) is missing: no column late"):
            clean(spec(value, late), source, month)


def test_a_column_outside_its_months_is_kept_if_present(tmp_path: Path) -> None:
    early = column(Type.INTEGER, since=Month(2025, 1))
    cleaned = clean(spec(early), publish(tmp_path, NUMBERS))
    assert sorted(pq.read_table(cleaned.trips)["value"].to_pylist()) == [1, 2, 3]


def test_two_spellings_at_once_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "boat_tripdata_2024-01.parquet"
    times = pa.array([None], pa.timestamp("us"))
    pq.write_table(pa.table({"Pickup": times, "pickup": times}), path)
    with pytest.raises(SchemaMismatch, match="Pickup and pickup are both pickup_at"):
        clean(spec(), path)


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "boat_tripdata_2024-01.parquet"
    times = pa.array([None], pa.timestamp("us"))
    pq.write_table(pa.Table.from_arrays([times, times], names=["Pickup", "Pickup"]), path)
    with pytest.raises(SchemaMismatch, match="Pickup occurs more than once"):
        clean(spec(), path)


@pytest.mark.parametrize(
    ("type_", "values", "found"),
    [
        (Type.INTEGER, pa.array([0], pa.timestamp("us")), "TIMESTAMP"),
        (Type.INTEGER, pa.array([True]), "BOOLEAN"),
        (Type.FLOAT, pa.array([[1.0]]), "DOUBLE[]"),
        (Type.STRING, pa.array([1]), "BIGINT"),
        (Type.STRING, pa.array([Decimal("1.5")]), "DECIMAL(2,1)"),
        (Type.TIMESTAMP, pa.array([1]), "BIGINT"),
        (Type.TIMESTAMP, pa.array([0], pa.timestamp("us", "UTC")), "TIMESTAMP WITH TIME ZONE"),
        (Type.TIMESTAMP, pa.array([0], pa.date32()), "DATE"),
        (Type.FLOAT, pa.array([1], pa.decimal256(50, 2)), "DECIMAL of more than 38 digits"),
    ],
    ids=str,
)
def test_a_type_without_a_cast_is_named(
    type_: Type, values: pa.Array, found: str, tmp_path: Path
) -> None:
    message = refusal(tmp_path, column(type_), values=values)
    assert f"value has type {found}, which has no cast to value ({type_})" in message


def test_the_remedy_names_the_code_that_can_be_edited(tmp_path: Path) -> None:
    wrong = refusal(tmp_path, column(Type.TIMESTAMP))
    assert wrong.endswith("edit taxi_assets/datasets/boat.py and run the month again.")
    no_cast = refusal(tmp_path, column(Type.INTEGER), values=pa.array([True]))
    assert "datasets" not in no_cast
    assert "edit taxi_assets/cleaning/mapping.py and casts.py" in no_cast


def test_a_thousand_problems_and_endless_names_make_one_short_line(tmp_path: Path) -> None:
    path = tmp_path / "boat_tripdata_2024-01.parquet"
    names = ["", "\x1b[31m\nred", "n" * 10_000, *map(str, range(1_000))]
    nested = pa.array([{f"field{number}": 1 for number in range(1_000)}])
    pq.write_table(pa.table([nested] * 3 + [pa.array([1])] * 1_000, names=names), path)
    with pytest.raises(SchemaMismatch) as refused:
        clean(spec(), path)
    message = str(refused.value)
    assert "a column without a name (STRUCT(" in message
    assert "\\x1b[31m red (STRUCT(" in message
    assert "; and 994 more. Nothing was stored." in message
    assert message.isprintable()
    assert len(message) < 2_000


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    missing = Column("gone", Type.FLOAT, "Gone.", ("gone",))
    message = refusal(tmp_path, column(Type.TIMESTAMP), missing)
    assert "value has type BIGINT" in message
    assert "gone (FLOAT) is missing" in message


def test_an_ignored_column_is_left_out(tmp_path: Path) -> None:
    cleaned = clean(spec(ignored=("value",)), publish(tmp_path, NUMBERS))
    assert "value" not in pq.read_schema(cleaned.trips).names


def test_published_names_of_the_columns_are_returned(tmp_path: Path) -> None:
    source = publish(tmp_path, NUMBERS, pickup="pickup")
    assert clean(spec(column(Type.INTEGER)), source).published_names == {
        "pickup_at": "pickup",
        "value": "value",
    }
