"""A bounded part of the harness; ``make test-faults`` runs all of it.

The harness forks, which a test worker with threads should not, so it runs as the command.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from taxi_assets_tests.faults.judge import judge
from taxi_assets_tests.faults.kinds import KINDS
from taxi_assets_tests.faults.months import MONTH, Rows, Version
from taxi_assets_tests.faults.report import page
from taxi_assets_tests.faults.result import Finding, Result, Wrong

A = Version("A", Path(), Rows(["a1", "a2"]), Rows(["a3"]))
B = Version("B", Path(), Rows(["b1", "b2"]), Rows(["b3"]))
BOTH = {"A": A, "B": B}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taxi_assets_tests.faults", *arguments],
        env={**os.environ, "TAXI_FAULTS_SEED": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_part_of_the_faults_finds_nothing() -> None:
    kinds = ["kill", "race", "file"]
    done = run("--only", *kinds, "--stores", "local-duckdb", "--scale", "0.01")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 findings" in done.stdout


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_part_of_all_faults_on_all_stores_finds_nothing() -> None:
    others = KINDS.keys() - {"wire"}  # of which test_wire_sample has a part
    done = run("--scale", "0.03", "--only", *sorted(others))
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 findings" in done.stdout


@pytest.mark.parametrize(
    ("trips", "rejects", "wrong"),
    [
        (A.trips, B.rejects, Wrong.MIXED),
        (Rows(["a1", "b2"]), A.rejects, Wrong.MIXED),
        (Rows(["a1"]), A.rejects, Wrong.LOST),
        (A.trips, Rows(), Wrong.LOST),
        (A.trips + A.trips, A.rejects, Wrong.DOUBLED),
        (A.trips + Rows(["a1"]), A.rejects, Wrong.DOUBLED),
        (Rows(), Rows(), Wrong.LOST),
        (B.trips, B.rejects, Wrong.FALSE),
    ],
)
def test_what_readers_see_is_judged(trips: Rows, rejects: Rows, wrong: Wrong) -> None:
    _, findings = judge("the lake", (trips, rejects), BOTH, ["A"])
    assert [each.wrong for each in findings] == [wrong]


def test_a_whole_month_is_no_finding() -> None:
    assert judge("the lake", (B.trips, B.rejects), BOTH, ["A", "B"]) == ("B", [])
    assert judge("the lake", None, BOTH, ["none", "B"]) == ("none", [])


def test_the_page_counts_faults_findings_and_skips() -> None:
    results = [
        Result("kill", "local-duckdb", "1", polls=7),
        Result("kill", "local-duckdb", "2", (Finding(Wrong.LOST, f"{MONTH}"),)),
        Result("full disk", "local-duckdb", "", skipped="no mount rights"),
    ]
    lines = page(results, seed=5, seconds=60.0).splitlines()
    assert "| kill | local-duckdb | 2 | 7 | 1 |" in "\n".join(lines)
    assert any("no mount rights" in line for line in lines)
