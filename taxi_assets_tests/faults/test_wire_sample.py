"""A bounded part of the faults on the way; in a module of its own, to run beside the others."""

from __future__ import annotations

import pytest

from taxi_assets_tests.faults.test_harness import run


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_part_of_the_faults_on_the_way_to_each_store_finds_nothing() -> None:
    done = run("--only", "wire", "--scale", "0.0125")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 findings" in done.stdout
