"""The specifications are complete, consistent and immutable."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import MutableMapping
from dataclasses import FrozenInstanceError
from typing import cast

import pytest

from taxi_assets.datasets import DATASETS, TAXI_ZONE_COLUMNS, Column, DatasetSpec, Type, dataset

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
each_dataset = pytest.mark.parametrize("spec", DATASETS.values(), ids=DATASETS)


def test_the_datasets_are_the_four_that_tlc_publishes_in_order() -> None:
    assert list(DATASETS) == ["yellow", "green", "fhv", "fhvhv"]
    assert [spec.name for spec in DATASETS.values()] == list(DATASETS)


def test_an_unknown_dataset_is_refused_with_the_valid_names() -> None:
    with pytest.raises(ValueError, match=r"'purple' is not a dataset.*yellow, green, fhv, fhvhv"):
        dataset("purple")


@each_dataset
def test_names_are_snake_case_and_unique(spec: DatasetSpec) -> None:
    for names in ([c.name for c in spec.columns], [r.name for r in spec.rules]):
        assert len(names) == len(set(names))
        assert [name for name in names if not SNAKE_CASE.fullmatch(name)] == []


@each_dataset
def test_every_column_and_rule_is_described(spec: DatasetSpec) -> None:
    texts = {c.name: c.description for c in spec.columns}
    texts |= {r.name: r.explain() for r in spec.rules}
    assert {name: text for name, text in texts.items() if len(text) < 12} == {}
    assert {name: text for name, text in texts.items() if text[-1] not in ".?"} == {}


@pytest.mark.parametrize(
    "column", [c for s in DATASETS.values() for c in s.columns] + list(TAXI_ZONE_COLUMNS)
)
def test_a_number_has_a_unit_or_is_a_code_or_an_id(column: Column) -> None:
    if column.type is Type.FLOAT:
        assert column.unit
    if column.type is Type.INTEGER:
        assert column.unit or column.values or column.name.endswith("_zone_id")


@each_dataset
def test_every_code_of_a_published_word_is_described(spec: DatasetSpec) -> None:
    for column in spec.columns:
        assert set(column.codes.values()) <= set(column.values), column.name
        assert all(word == word.strip().lower() for word in column.codes), column.name


@each_dataset
def test_a_shared_column_has_one_type_and_unit_in_all_datasets(spec: DatasetSpec) -> None:
    for other in DATASETS.values():
        shared = {c.name for c in spec.columns} & {c.name for c in other.columns}
        assert "pickup_at" in shared
        for name in shared:
            mine, theirs = spec.column(name), other.column(name)
            assert (mine.type, mine.unit) == (theirs.type, theirs.unit), name


@each_dataset
def test_the_columns_that_order_a_table_exist(spec: DatasetSpec) -> None:
    assert spec.cluster_by == ("pickup_at", "pickup_zone_id")
    assert spec.column(spec.pickup).type is Type.TIMESTAMP
    for name in spec.cluster_by:
        spec.column(name)


@each_dataset
def test_the_limits_are_plausible(spec: DatasetSpec) -> None:
    assert 0 < spec.max_reject_share <= 0.05
    assert spec.memory_heavy == (spec.name == "fhvhv")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("CASH Cash CAS Cas CSH", 2),
        ("Credit CREDIT CRE Cre CRD", 1),
        ("NOC No", 3),
        ("Dispute DIS Dis", 4),
        ("UNK NA", 5),
        ("VOI Void", 6),
    ],
)
def test_the_text_of_old_payments_becomes_todays_codes(words: str, code: int) -> None:
    codes = dataset("yellow").column("payment_type").codes
    assert {codes[word.lower()] for word in words.split()} == {code}
    assert codes["no charge"] == 3


def test_old_vendors_and_flags_become_todays_codes() -> None:
    yellow = dataset("yellow")
    assert yellow.column("vendor_id").codes == {"cmt": 1, "vts": 2, "dds": 3}
    assert yellow.column("store_and_fwd_flag").codes == {
        "0": "N",
        "0.0": "N",
        "1": "Y",
        "1.0": "Y",
    }


def test_a_specification_cannot_be_changed() -> None:
    column = dataset("yellow").column("payment_type")
    with pytest.raises(FrozenInstanceError):
        column.name = "other"  # type: ignore[misc]  # the point of the test
    for mapping in (column.codes, column.values, dataset("yellow").rules[1].thresholds, DATASETS):
        with pytest.raises(TypeError):
            cast("MutableMapping[object, object]", mapping)["new"] = 1


def test_a_specification_copies_the_mapping_it_is_made_from() -> None:
    codes: dict[str, int | str] = {"cash": 2}
    column = Column("payment", Type.INTEGER, "How it was paid.", ("p",), codes=codes)
    codes["cash"] = 7
    assert column.codes == {"cash": 2}


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(KeyError, match="fhv has no column 'total_amount'"):
        dataset("fhv").column("total_amount")


def test_the_specifications_need_neither_dagster_nor_the_network() -> None:
    heavy = ("dagster", "httpx", "duckdb", "pyarrow", "pandas")
    code = (
        "import sys, taxi_assets.datasets.document\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
