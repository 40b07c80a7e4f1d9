"""Each published value is cast, stays NULL, or fails the month."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
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
        (Type.INTEGER, pa.array(["9007199254740993", "1e3"]), [2**53 + 1, 1000]),
        (Type.INTEGER, pa.array([Decimal("7.00"), None]), [7, None]),
        (Type.INTEGER, pa.array([Decimal(2**62)], pa.decimal128(38, 0)), [2**62]),
        (Type.INTEGER, pa.array([7, 2**63 - 1], pa.uint64()), [7, 2**63 - 1]),
        (Type.INTEGER, pa.array([5, None], pa.duration("us")), [5, None]),
        (Type.INTEGER, pa.nulls(2), [None, None]),
        (Type.FLOAT, pa.array([1.5, None, math.nan]), [1.5, None, None]),
        (Type.FLOAT, pa.array([1.5], pa.float32()), [1.5]),
        (Type.FLOAT, pa.array([3, None]), [3.0, None]),
        (Type.FLOAT, pa.array([" 1.5", "", None]), [1.5, None, None]),
        (Type.FLOAT, pa.array([".5", "5.", "+1e2", "-0.25E-1"]), [0.5, 5.0, 100.0, -0.025]),
        (Type.FLOAT, pa.array([Decimal("17.50"), None]), [17.5, None]),
        (Type.FLOAT, pa.array([2**63], pa.uint64()), [2.0**63]),
        (Type.FLOAT, pa.array([1.5], pa.float16()), [1.5]),
        (Type.FLOAT, pa.nulls(1), [None]),
        (Type.STRING, pa.array(["A", "", None]), ["A", None, None]),
        (Type.STRING, pa.array([" b00254", "B00254   ", " "]), ["B00254", "B00254", None]),
        (Type.STRING, pa.array(["a", None], pa.large_string()), ["A", None]),
        (Type.STRING, pa.array(["a", None], pa.string_view()), ["A", None]),
        (Type.STRING, pa.array(["a", " ", None, "a"]).dictionary_encode(), ["A", None, None, "A"]),
        (Type.STRING, pa.array([b"a", "é".encode(), None]), ["A", "É", None]),
        (Type.STRING, pa.array([b"ab"], pa.binary(2)), ["AB"]),
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
        (Type.INTEGER, "1_000", "value has the text value '1_000' in row 1 (2 such values)"),
        (Type.INTEGER, "9223372036854775808", "value '9223372036854775808' in row 1"),
        (Type.INTEGER, Decimal("2.5"), "value has the decimal value 2.5 in row 1 (2 such values)"),
        (Type.INTEGER, 2**64 - 1, "the decimal value 18446744073709551615 in row 1"),
        (Type.FLOAT, "1_000.5", "value has the text value '1_000.5' in row 1 (2 such values)"),
        (Type.FLOAT, "inf", "value has the text value 'inf' in row 1 (2 such values)"),
        (Type.FLOAT, "Infinity", "value has the text value 'Infinity' in row 1 (2 such values)"),
        (Type.FLOAT, "1e400", "value has the text value '1e400' in row 1 (2 such values)"),
        (Type.FLOAT, "0x10", "value has the text value '0x10' in row 1 (2 such values)"),
        (Type.FLOAT, Decimal("9007199254740993.5"), "the decimal value 9007199254740993.5 in"),
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
    values = pa.array([None, bad, bad], pa.uint64() if bad == 2**64 - 1 else None)
    with pytest.raises(UncastableValue) as refused:
        clean(spec(column(type_)), publish(tmp_path, values))
    message = str(refused.value)
    assert message.startswith(
        "boat_tripdata_2024-01.parquet has values that do not fit the specification of boat for "
        "2024-01: "
    )
    assert expected in message
    assert f"which does not fit value ({type_}). Nothing was stored." in message
    assert "change the type in taxi_assets/datasets/boat.py and run the month again" in message
    assert list((tmp_path / "cleaned").glob("*.parquet")) == []


@pytest.mark.parametrize(
    ("type_", "bad", "expected"),
    [
        (Type.FLOAT, pa.array([None, math.inf, -math.inf]), "the floating value inf"),
        (Type.FLOAT, pa.array([None, -math.inf, 1], pa.float32()), "the floating value -inf"),
        (
            Type.TIMESTAMP,
            pa.array([None, 2**62, 0], pa.timestamp("us")),
            "the naive timestamp value 148108-07-06 14:00:27.387904",
        ),
        (Type.TIMESTAMP, pa.array([0, -(2**62)], pa.timestamp("us")), "(BC)"),
        (
            Type.TIMESTAMP,
            pa.array([None, 2**62, 0], pa.timestamp("ms")),
            "the naive timestamp value 4,611,686,018,427,387,904 ms since 1970",
        ),
    ],
)
def test_a_value_out_of_range_fails_the_month(
    type_: Type, bad: pa.Array, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(UncastableValue) as refused:
        clean(spec(column(type_)), publish(tmp_path, bad))
    message = str(refused.value)
    assert expected in message
    assert "in row 1 (" in message
    assert "No edit of the specification helps" in message
    assert "\n" not in message
    assert list((tmp_path / "cleaned").glob("*.parquet")) == []


def test_an_integer_that_a_double_would_round_fails_the_month(tmp_path: Path) -> None:
    for good in (2**53, -(2**53)):
        assert values_of(tmp_path, column(Type.FLOAT), pa.array([good, None])) == [good, None]
    with pytest.raises(UncastableValue, match=r"9007199254740993 in row 0 \(1 such value\)"):
        values_of(tmp_path, column(Type.FLOAT), pa.array([2**53 + 1, None]))


@pytest.mark.parametrize(
    "broken", [[b"Y", b"Q\xff\xfe", b"\xff"], [b"Y"] * 5_000 + [b"Q\xff\xfe", b"\xff"]]
)
def test_text_that_is_not_utf8_fails_the_month(broken: list[bytes], tmp_path: Path) -> None:
    content = pa.array(broken)
    text = pa.Array.from_buffers(pa.string(), len(content), content.buffers())
    with pytest.raises(UncastableValue) as refused:
        clean(spec(column(Type.STRING)), publish(tmp_path, text))
    assert (
        f"value has the text value b'Q\\xff\\xfe' in row {len(broken) - 2} (2 such values), which "
        "is not UTF-8" in str(refused.value)
    )


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
        (pa.array(["0", "1", "n ", "Y", " ", None]), ["N", "Y", "N", "Y", None, None]),
    ],
    ids=["floats", "integers", "text"],
)
def test_numbers_are_mapped_to_text_codes(
    published: pa.Array, values: list[str | None], tmp_path: Path
) -> None:
    assert values_of(tmp_path, column(Type.STRING, codes=YES_NO), published) == values


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        (pa.array([2, 1]), ["2", "Y"]),
        (pa.array([2.0, 0.5, math.nan, 1.0]), ["2", "0.5", None, "Y"]),
        (pa.array([Decimal("2.0"), Decimal("1.0"), None]), ["2", "Y", None]),
    ],
)
def test_a_number_without_a_code_is_kept_as_text(
    numbers: pa.Array, texts: list[str | None], tmp_path: Path
) -> None:
    assert values_of(tmp_path, column(Type.STRING, codes=YES_NO), numbers) == texts
