"""Every hostile server ends in success or an error of ours, within bounds, with nothing left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from taxi_assets.errors import SourceUnavailable
from taxi_assets_tests.faults.hostile import Case, Outcome, hostile_cases, run_case, wrong


def test_no_hostile_server_gets_its_way() -> None:
    cases = list(hostile_cases())
    assert len({case.name for case in cases}) == len(cases) > 60
    with ThreadPoolExecutor(8) as pool:  # most of them wait
        outcomes = list(pool.map(run_case, cases))
    found = [
        f"{case.name}: {found}"
        for case, outcome in zip(cases, outcomes, strict=True)
        if (found := wrong(case, outcome))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        (Outcome("x", None, 1, (), ended=False), "not over"),
        (Outcome("x", None, 1, ()), "no error, but SourceUnavailable"),
        (Outcome("x", ValueError, 1, (), "odd"), "ValueError instead of SourceUnavailable: odd"),
        (Outcome("x", SourceUnavailable, 1, ("x.parquet",), "down"), "left x.parquet"),
        (Outcome("x", SourceUnavailable, 1, (), "y" * 5000), "a message of 5000 characters"),
        (Outcome("x", SourceUnavailable, 1, (), "?5ecret5ecret"), "a message of 13 characters"),
    ],
)
def test_what_must_not_happen_is_found(outcome: Outcome, found: str) -> None:
    case = Case("x", lambda _: None, (SourceUnavailable,), lambda *_: None)
    assert found in (wrong(case, outcome) or "")
