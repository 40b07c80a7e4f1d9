"""The automation condition for assets that users compute from the trips.

https://docs.dagster.io/guides/automate/declarative-automation is the concept. The platform's own
months are requested by sensors (``publication``): a condition loses a reissue that meets a run.
"""

from __future__ import annotations

from typing import Final

import dagster as dg

__all__ = ["WHEN_MONTH_IS_LOADED"]

_When = dg.AutomationCondition

WHEN_MONTH_IS_LOADED: Final = (
    _When.eager().without(_When.in_latest_time_window()) & _When.all_deps_blocking_checks_passed()
)
"""Makes a month of an asset whenever that month of what it depends on has been loaded.

::

    @dg.asset(automation_condition=WHEN_MONTH_IS_LOADED, …)

Old, late and reissued months count, which for ``eager()`` alone only the latest one does; a month
whose blocking checks failed does not. Dagster evaluates conditions in the sensor
``default_automation_condition_sensor``, which is off until somebody switches it on in the UI;
months loaded before that are left to a backfill. A backfill upstream is one backfill downstream.
"""
