"""Rows are cleaned as before, unless ``CLEANING`` was raised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from taxi_assets.cleaning import casts, version
from taxi_assets.datasets import DATASETS, DatasetSpec
from taxi_assets_tests.cleaning import golden
from taxi_assets_tests.cleaning.golden import Golden, cleaned_now, objection
from taxi_assets_tests.cleaning.golden_rows import published_months


@pytest.fixture(scope="module")
def stored() -> Golden:
    return Golden.read()


@pytest.fixture(scope="module")
def now() -> Golden:
    return cleaned_now()


def test_cleaned_rows_are_unchanged(stored: Golden, now: Golden) -> None:
    refused = objection(stored, now)
    assert refused is None, refused
    assert now == stored, (
        "golden.json was written for other rows, another specification or another CLEANING; "
        "regenerate it: python -m taxi_assets_tests.cleaning.golden"
    )


@pytest.mark.parametrize("spec", DATASETS.values(), ids=DATASETS)
def test_every_rule_is_covered(spec: DatasetSpec, tmp_path: Path) -> None:
    matched: set[str] = set()
    for name, rows in published_months(spec.name, tmp_path):
        counts = golden.clean(name, rows, tmp_path).counts
        matched |= {*counts.reasons, *counts.flags}
    assert matched == {rule.name for rule in spec.rules}


def test_a_changed_cast_is_noticed(stored: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casts, "_whole", lambda number: f"TRY_CAST({number} + 0.5 AS BIGINT)")
    refused = objection(stored, cleaned_now("fhv"))
    assert refused
    assert "raise CLEANING in taxi_assets/cleaning/version.py" in refused
    assert "fhv 2015-01" in refused
    monkeypatch.setattr(version, "CLEANING", version.CLEANING + 1)
    assert objection(stored, cleaned_now("fhv")) is None


def test_raising_the_version_without_need_is_refused(
    stored: Golden, now: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = objection(stored, replace(now, cleaning=now.cleaning + 1))
    assert refused
    assert "Set it back" in refused


@pytest.mark.parametrize("changed", [{"input": "other rows"}, {"code_version": "another"}])
def test_other_rows_and_another_specification_are_not_compared(
    stored: Golden, now: Golden, changed: dict[str, str]
) -> None:
    before = {name: replace(each, **changed) for name, each in stored.months.items()}
    after = {name: replace(each, output="other results") for name, each in now.months.items()}
    for cleaning in (now.cleaning, now.cleaning + 1):
        assert objection(Golden(stored.cleaning, before), Golden(cleaning, after)) is None


def test_a_refused_result_is_not_written(
    now: Golden, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = golden.GOLDEN.read_bytes()
    monkeypatch.setattr(golden, "cleaned_now", lambda: replace(now, cleaning=now.cleaning + 1))
    assert golden.main() == 1
    assert "golden.json was not written." in capsys.readouterr().err
    assert golden.GOLDEN.read_bytes() == before
