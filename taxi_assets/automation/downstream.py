"""The automation condition for assets that users compute from the trips.

https://docs.dagster.io/guides/automate/declarative-automation explains conditions. The platform's
own months are requested by sensors (``publication``), because a condition misses a reissue that
happens while the month is in a run.
"""

from __future__ import annotations

from typing import Final

import dagster as dg

__all__ = ["WHEN_MONTH_IS_LOADED"]

_When = dg.AutomationCondition

WHEN_MONTH_IS_LOADED: Final = (
    _When.eager().without(_When.in_latest_time_window()) & _When.all_deps_blocking_checks_passed()
)
"""Materializes a month of an asset whenever that month of its dependencies has been loaded.

::

    @dg.asset(automation_condition=WHEN_MONTH_IS_LOADED, …)

It reacts to old, late and reissued months, where ``eager()`` alone reacts only to the latest one,
and ignores a month whose blocking checks failed. Dagster evaluates conditions in the sensor
``default_automation_condition_sensor``, which is off until it is switched on in the UI; backfill
the months loaded before that. A backfill upstream becomes one backfill downstream.
"""
