"""Each published value is cast, stays NULL, or fails the month."""

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
    ("type_", "published", "values"),
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
    type_: Type, published: pa.Array, values: list[Any], tmp_path: Path
) -> None:
    assert values_of(tmp_path, column(type_), published) == values


@pytest.mark.parametrize(
    ("type_", "bad", "expected"),
    [
        (Type.INTEGER, 2.5, "value has the floating value 2.5 in row 1 (2 such values)"),
        (Type.INTEGER, math.inf, "value has the floating value inf in row 1 (2 such values)"),
        (Type.INTEGER, 1e30, "value has the floating value 1e+30 in row 1 (2 such values)"),
        (Type.INTEGER, "two", "value has the text value 'two' in row 1 (2 such values)"),
        (Type.INTEGER, "nan", "value has the text value 'nan' in row 1 (2 such values)"),
        (Type.INTEGER, "2.5", "value has the text value '2.5' in row 1 (2 such values)"),
        (Type.FLOAT, "1,5", "value has the text value '1,5' in row 1 (2 such values)"),
        (Type.FLOAT, "nan", "value has the text value 'nan' in row 1 (2 such values)"),
        (
            Type.TIMESTAMP,
            "02/01/2024",
            "value has the text value '02/01/2024' in row 1 (2 such values)",
        ),
        (
            Type.TIMESTAMP,
            "2024-02-30 00:00:00",
            "value has the text value '2024-02-30 00:00:00' in row 1",
        ),
    ],
)
def test_a_value_that_does_not_fit_fails_the_month(
    type_: Type, bad: object, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(UncastableValue) as refused:
        clean(spec(column(type_)), publish(tmp_path, pa.array([None, bad, bad])))
    message = str(refused.value)
    assert message.startswith(
        "boat_tripdata_2024-01.parquet has values that do not fit the specification of boat for "
        "2024-01: "
    )
    assert expected in message
    assert f"which does not fit value ({type_}). Nothing was stored." in message
    assert message.endswith(
        "Add the codes or change the type in taxi_assets/datasets/boat.py and run the month again."
    )
    assert list((tmp_path / "cleaned").glob("*.parquet")) == []


def test_words_become_codes_in_any_case_and_with_spaces(tmp_path: Path) -> None:
    words = pa.array(["CASH", "Cash ", "credit", "No ", "4", "", None])
    assert values_of(tmp_path, column(Type.INTEGER, codes=CODES), words) == [
        2, 2, 1, 3, 4, None, None,
    ]  # fmt: skip


def test_a_word_without_a_code_fails_the_month(tmp_path: Path) -> None:
    with pytest.raises(UncastableValue, match=r"the text value 'cheque' in row 1 \(1 such value\)"):
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
def test_numbers_are_mapped_to_text_codes(
    published: pa.Array, values: list[str | None], tmp_path: Path
) -> None:
    assert values_of(tmp_path, column(Type.STRING, codes=YES_NO), published) == values


@pytest.mark.parametrize("number", [2, 0.5])
def test_a_number_without_a_code_is_not_cast_to_text(number: float, tmp_path: Path) -> None:
    with pytest.raises(UncastableValue, match=f"value has the .* value {number} in row 0"):
        values_of(tmp_path, column(Type.STRING, codes=YES_NO), pa.array([number]))
