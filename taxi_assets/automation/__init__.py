"""What starts runs, and who is notified of them.

    jobs            a dataset's months, their verification, the overdue months, the zones
    publication     sensor: polls TLC and requests months that are new or reissued
    zones           sensor: polls TLC and requests the taxi zones
    schedules       one month per dataset and the zones, monthly; the overdue checks, daily
    notifications   sensors: failures, loaded months, overdue months → channels
    downstream      the automation condition for users' own assets
    factory         builds all of the above from the settings

A tick of ``publication`` uses ``records`` (Dagster's records), ``polling`` (TLC's answers),
``planning`` (the decision) and ``cursor`` (the sensor's state). ``notifications`` uses ``messages``
(the text) and ``channels`` (the delivery).
"""

from taxi_assets.automation.downstream import WHEN_MONTH_IS_LOADED

__all__ = ["WHEN_MONTH_IS_LOADED"]
