"""Each published value becomes its canonical one, is NULL as published, or stops the month."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from taxi_assets.datasets.spec import Type
from taxi_assets.errors import UncastableValue
from taxi_assets_tests.cleaning.files import clean, column, publish, spec, values_of

NOON = datetime(2024, 1, 2, 12)  # noqa: DTZ001 - naive by design
CODES = {"cash": 2, "credit": 1, "no": 3}
YES_NO = {"0": "N", "1": "Y"}


@pytest.mark.parametrize(
    ("wanted", "published", "values"),
    [
        (Type.INTEGER, pa.array([1, None, 3], pa.int32()), [1, None, 3]),
        (Type.INTEGER, pa.array([1, 255], pa.uint8()), [1, 255]),
        (Type.INTEGER, pa.array([1.0, None, math.nan, -2.0]), [1, None, None, -2]),
        (Type.INTEGER, pa.array([" 7 ", "8.0", "", "  ", None]), [7, 8, None, None, None]),
        (Type.INTEGER, pa.nulls(2), [None, None]),
        (Type.FLOAT, pa.array([1.5, None, math.nan]), [1.5, None, None]),
        (Type.FLOAT, pa.array([1.5], pa.float32()), [1.5]),
        (Type.FLOAT, pa.array([3, None]), [3.0, None]),
        (Type.FLOAT, pa.array([" 1.5", "", None]), [1.5, None, None]),
        (Type.FLOAT, pa.nulls(1), [None]),
        (Type.STRING, pa.array(["a", "", None]), ["a", "", None]),
        (Type.STRING, pa.array(["a", None], pa.large_string()), ["a", None]),
        (Type.STRING, pa.nulls(1), [None]),
        (Type.TIMESTAMP, pa.array([NOON, None], pa.timestamp("us")), [NOON, None]),
        (Type.TIMESTAMP, pa.array([NOON], pa.timestamp("ns")), [NOON]),
        (Type.TIMESTAMP, pa.array([NOON], pa.timestamp("s")), [NOON]),
        (
            Type.TIMESTAMP,
            pa.array(["2024-01-02 12:00:00", " 2024-01-02 12:00:00.000000 ", "", None]),
            [NOON, NOON, None, None],
        ),
        (Type.TIMESTAMP, pa.nulls(1), [None]),
    ],
    ids=lambda value: str(getattr(value, "type", value))[:30],
)
def test_values_that_fit(
    wanted: Type, published: pa.Array, values: list[Any], tmp_path: Path
) -> None:
    assert values_of(tmp_path, column(wanted), published) == values


@pytest.mark.parametrize(
    ("wanted", "bad", "says"),
    [
        (Type.INTEGER, 2.5, "value holds 2.5 in row 1 (2 such values) as floating"),
        (Type.INTEGER, math.inf, "value holds inf in row 1 (2 such values) as floating"),
        (Type.INTEGER, 1e30, "value holds 1e+30 in row 1 (2 such values) as floating"),
        (Type.INTEGER, "two", "value holds 'two' in row 1 (2 such values) as text"),
        (Type.INTEGER, "nan", "value holds 'nan' in row 1 (2 such values) as text"),
        (Type.INTEGER, "2.5", "value holds '2.5' in row 1 (2 such values) as text"),
        (Type.FLOAT, "1,5", "value holds '1,5' in row 1 (2 such values) as text"),
        (Type.FLOAT, "nan", "value holds 'nan' in row 1 (2 such values) as text"),
        (Type.TIMESTAMP, "02/01/2024", "value holds '02/01/2024' in row 1 (2 such values) as text"),
        (Type.TIMESTAMP, "2024-02-30 00:00:00", "value holds '2024-02-30 00:00:00' in row 1"),
    ],
)
def test_a_value_that_does_not_fit_stops_the_month(
    wanted: Type, bad: object, says: str, tmp_path: Path
) -> None:
    with pytest.raises(UncastableValue) as refused:
        clean(spec(column(wanted)), publish(tmp_path, pa.array([None, bad, bad])))
    said = str(refused.value)
    assert said.startswith(
        "boat_tripdata_2024-01.parquet holds values that the specification of boat cannot take "
        "for 2024-01: "
    )
    assert says in said
    assert f"value wants {wanted}. Add the codes or change the type in" in said
    assert "taxi_assets/datasets/boat.py and run the month again; nothing was stored." in said
    assert list((tmp_path / "cleaned").glob("*.parquet")) == []


def test_words_become_codes_whatever_their_case_and_spaces(tmp_path: Path) -> None:
    words = pa.array(["CASH", "Cash ", "credit", "No ", "4", "", None])
    assert values_of(tmp_path, column(Type.INTEGER, codes=CODES), words) == [
        2, 2, 1, 3, 4, None, None,
    ]  # fmt: skip


def test_a_word_without_a_code_stops_the_month(tmp_path: Path) -> None:
    with pytest.raises(UncastableValue, match=r"'cheque' in row 1 \(1 such values\) as text"):
        values_of(tmp_path, column(Type.INTEGER, codes=CODES), pa.array(["cash", "cheque"]))


@pytest.mark.parametrize(
    ("published", "values"),
    [
        (pa.array([0.0, 1.0, None, math.nan]), ["N", "Y", None, None]),
        (pa.array([0, 1, None]), ["N", "Y", None]),
        (pa.array(["0", "1", "N", "Y", None]), ["N", "Y", "N", "Y", None]),
    ],
    ids=["floats", "integers", "text"],
)
def test_numbers_become_words_by_their_codes(
    published: pa.Array, values: list[str | None], tmp_path: Path
) -> None:
    assert values_of(tmp_path, column(Type.STRING, codes=YES_NO), published) == values


@pytest.mark.parametrize("number", [2, 0.5])
def test_a_number_that_is_no_code_is_not_taken_for_text(number: float, tmp_path: Path) -> None:
    with pytest.raises(UncastableValue, match=f"value holds {number} in row 0"):
        values_of(tmp_path, column(Type.STRING, codes=YES_NO), pa.array([number]))
