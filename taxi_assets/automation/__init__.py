"""What starts runs, and who is notified of them.

    jobs            a dataset's months, their verification, the overdue months, the zones
    publication     sensor: polls TLC and requests months that are new or reissued
    schedules       a month per dataset once a month; the overdue months once a day
    notifications   sensors: failures, loaded months, overdue months → channels
    downstream      the automation condition for users' own assets
    factory         all of the above for the settings in force

A tick of ``publication`` is made of ``records`` (what Dagster has recorded), ``polling`` (what TLC
answers), ``planning`` (what is to be done) and ``cursor`` (what the sensor remembers).
``notifications`` uses ``messages`` (the words) and ``channels`` (where they go).
"""

from taxi_assets.automation.downstream import WHEN_MONTH_IS_LOADED

__all__ = ["WHEN_MONTH_IS_LOADED"]
