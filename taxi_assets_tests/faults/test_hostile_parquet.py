"""A bounded part of the hostile files, in a process of their own; and what is found wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from taxi_assets_tests.faults.handmade_parquet import ARRAYS, LAYOUTS
from taxi_assets_tests.faults.hostile_parquet import Outcome, cases, wrong

FILE = "green_tripdata_2024-01.parquet"


def test_no_hostile_file_ends_without_its_rows_or_a_name() -> None:
    module = "taxi_assets_tests.faults.hostile_parquet"
    done = subprocess.run(
        [sys.executable, "-m", module, "--seed", "1", "--count", "100"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"{lines[-1]} ended the process: {done.stderr[-2000:]}"
    outcomes = [Outcome(**json.loads(line)) for line in lines[1::2]]
    assert len(outcomes) == 100
    found = [f"{each.name}: {each_wrong}" for each in outcomes if (each_wrong := wrong(each))]
    assert found == []
    assert {each.named_error for each in outcomes} >= {None, "CorruptDownload", "SchemaMismatch"}


def test_the_same_seed_gives_the_same_cases() -> None:
    names = [case.name for case in cases(7, 40)]
    assert names == [case.name for case in cases(7, 40)]
    assert names != [case.name for case in cases(8, 40)]
    assert len({*names}) == 40
    assert len([*cases(7, 2_000)]) == 2_000
    assert len(ARRAYS) + len(LAYOUTS) > 80


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        (Outcome("x", None, True, "", []), None),
        (Outcome("x", None, False, "2 published, 1 cleaned", []), "2 published, 1 cleaned"),
        (Outcome("x", "CorruptDownload", False, f"{FILE} is damaged.", []), None),
        (Outcome("x", "CorruptDownload", False, FILE, ["trips.parquet"]), "left trips.parquet"),
        (Outcome("x", "CorruptDownload", False, f"{FILE}\n", []), "a message of 31 characters"),
        (Outcome("x", "CorruptDownload", False, "It failed.", []), "the file is not named"),
        (Outcome("x", "OSError", False, FILE, []), f"OSError: {FILE}"),
    ],
)
def test_what_must_not_happen_is_found(outcome: Outcome, found: str | None) -> None:
    assert (wrong(outcome) or "").startswith(found or "")
    assert (wrong(outcome) is None) == (found is None)
