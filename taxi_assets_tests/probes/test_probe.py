"""Probes are run in order and reported in one line each, and are cleaned up after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taxi_assets.errors import Misconfigured
from taxi_assets.probes.names import PREFIX, left_behind, new_name
from taxi_assets.probes.probe import Group, NotProbed, Probe, run_probes
from taxi_assets_tests.probes.reports import probed


def fine() -> str:
    return "found"


def failing() -> str:
    raise Misconfigured("It is\nwrong.", "Correct it.")


def test_a_line_has_what_was_found_or_what_to_do() -> None:
    report = probed(Group([Probe("one", fine), Probe("two", failing), Probe("three", fine)]))
    assert report.verdicts == {"one": "ok", "two": "FAIL", "three": "ok"}
    assert report.texts["one"] == "found"
    assert report.texts["two"] == "It is wrong. Correct it."
    assert not report.well
    assert probed(Group([Probe("one", fine)])).well


def test_a_probe_is_skipped_if_one_that_it_needs_failed_or_was_skipped() -> None:
    first = Group([Probe("one", failing), Probe("two", fine, ("one",))])
    report = probed(first, Group([Probe("three", fine, ("two",)), Probe("four", fine)]))
    assert report.skipped == {"two": "needs 'one'", "three": "needs 'two'"}
    assert report.verdicts["four"] == "ok"


def test_a_probe_that_does_not_apply_is_not_a_failure() -> None:
    def inapplicable() -> str:
        raise NotProbed("only with --notify")

    report = probed(Group([Probe("one", inapplicable)]))
    assert report.skipped == {"one": "only with --notify"}
    assert report.well


def test_an_unexpected_error_fails_one_probe_and_shows_no_secret() -> None:
    def broken() -> str:
        raise KeyError("postgresql://me:hush@db/taxi")

    report = probed(Group([Probe("one", broken), Probe("two", fine)]))
    assert report.failed == {"one": "unexpected KeyError: 'postgresql://db/taxi'"}
    assert report.verdicts["two"] == "ok"


def test_a_fault_of_this_machine_has_its_remedy() -> None:
    def full() -> str:
        raise OSError(28, "No space left on device", "/data")

    [text] = probed(Group([Probe("one", full)])).failed.values()
    assert "No space left on device" in text
    assert "Free space on that disk" in text


def test_cleaning_up_follows_an_interruption_and_its_own_failures() -> None:
    lines: list[str] = []

    def interrupted() -> str:
        raise KeyboardInterrupt

    group = Group([Probe("one", interrupted)], [Probe("two", failing), Probe("three", fine)])
    with pytest.raises(KeyboardInterrupt):
        run_probes([group, Group([Probe("four", fine)])], lines.append)
    assert [line.split()[:2] for line in lines] == [["FAIL", "two"], ["ok", "three"]]


def test_only_names_of_old_checks_are_left_behind() -> None:
    name = new_name()
    assert left_behind([name, f"{name}_202401_incoming"]) == []
    old = (datetime.now(UTC) - timedelta(hours=2)).strftime(f"{PREFIX}%Y%m%d%H%M_abc123")
    others = ["loaded_months", f"{PREFIX}mine", PREFIX, f"x{old}", "green_trips"]
    assert left_behind([*others, old, f"{old}_202401_incoming"]) == [old, f"{old}_202401_incoming"]
