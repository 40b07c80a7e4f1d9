"""The names in CSV files, of which TLC published 2019-01 to 2021-07 in the same form."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.csv_columns import in_format
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.month import Month


def test_parquet_is_as_the_specification_says() -> None:
    for spec in DATASETS.values():
        assert in_format(spec, FileFormat.PARQUET) is spec


@pytest.mark.parametrize("name", DATASETS)
def test_csv_has_the_same_table_and_rules(name: str) -> None:
    spec = DATASETS[name]
    as_csv = in_format(spec, FileFormat.CSV)
    for mine, other in zip(as_csv.columns, spec.columns, strict=True):
        assert (mine.name, mine.type, mine.codes) == (other.name, other.type, other.codes)
    assert as_csv.rules == spec.rules


def test_every_real_header_since_2019_has_all_that_its_month_must_have(real_tlc: Path) -> None:
    seen = 0
    for path in sorted((real_tlc / "csv-headers").glob("*_tripdata_*.csv")):
        name, _, text = path.stem.partition("_tripdata_")
        month = Month.parse(text)
        if month < Month(2019, 1):
            continue
        seen += 1
        spec = in_format(DATASETS[name], FileFormat.CSV_GZ)
        with path.open(newline="") as file:
            names = next(csv.reader(file))
        known = {each for column in spec.columns for each in column.published_as}
        assert set(names) <= known | set(spec.ignored), path
        for column in spec.columns:
            if column.expected_in(month):
                assert len(set(column.published_as) & set(names)) == 1, (path, column.name)
    assert seen == 70


def test_a_name_says_the_format() -> None:
    for name, wanted in {
        "green_tripdata_2020-10.csv.gz": FileFormat.CSV_GZ,
        "green_tripdata_2020-10.csv": FileFormat.CSV,
        "green_tripdata_2020-10.parquet": FileFormat.PARQUET,
    }.items():
        assert FileFormat.of(name) is wanted
        assert DATASETS["green"].file_name(Month(2020, 10), wanted) == name
