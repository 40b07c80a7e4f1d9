"""Users' assets are materialized when any month of the trips is loaded."""

from __future__ import annotations

import dagster as dg
import pytest

from taxi_assets.assets.common import trip_key
from taxi_assets.assets.partitions import monthly
from taxi_assets.automation import WHEN_MONTH_IS_LOADED
from taxi_assets.datasets import Month
from taxi_assets_tests.automation.ticks import GREEN, Records


@dg.asset(
    deps=[trip_key(GREEN, "warehouse_trips")],
    partitions_def=monthly(GREEN),
    automation_condition=WHEN_MONTH_IS_LOADED,
)
def report() -> None:
    """A user's asset, computed from a month."""


class Ticks:
    """Successive evaluations of the conditions, as the daemon makes them."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._definitions = dg.Definitions.merge(
            records.definitions, dg.Definitions(assets=[report])
        )
        first = dg.evaluate_automation_conditions(self._definitions, records.instance)
        assert first.total_requested == 0, "months loaded before need a backfill"
        self._cursor = first.cursor

    def requested_after(self, *months: str) -> set[str | None]:
        """The report's months that a tick requests after runs of green's ``months``."""
        for month in months:
            self._records.run(Month.parse(month))
        result = dg.evaluate_automation_conditions(
            self._definitions, self._records.instance, cursor=self._cursor
        )
        self._cursor = result.cursor
        return set(result.get_requested_partitions(report.key))


@pytest.fixture
def ticks(records: Records) -> Ticks:
    """The sensor, switched on after two months were loaded."""
    for month in ("2019-01", "2024-02"):
        records.run(Month.parse(month))
    return Ticks(records)


@pytest.mark.parametrize(
    "months",
    [["2024-01"], ["2019-01"], ["2024-03", "2024-04"]],
    ids=["a late month", "an old reissue", "two months at once"],
)
def test_newly_loaded_months_are_requested_once(ticks: Ticks, months: list[str]) -> None:
    assert ticks.requested_after(*months) == set(months)
    assert ticks.requested_after() == set()


def test_a_month_whose_check_failed_is_requested_once_it_passes(
    records: Records, ticks: Ticks
) -> None:
    records.script.checks["warehouse_trips.reconciled", "2024-03"] = "3 rows are missing."
    assert ticks.requested_after("2024-03") == set()
    records.script.clear()
    assert ticks.requested_after("2024-03") == {"2024-03"}
