"""Jobs, schedules and sensors for the settings in force.

What runs on its own is decided here, and nothing else; what any job, schedule or sensor does is in
its own module.
"""

from __future__ import annotations

import dagster as dg

from taxi_assets.automation.channels import open_channels
from taxi_assets.automation.jobs import months_job, overdue_job, verify_job, zones_job
from taxi_assets.automation.notifications import failure_sensor, loaded_sensor, overdue_sensor
from taxi_assets.automation.publication import publication_sensor
from taxi_assets.automation.schedules import month_schedule, overdue_schedule
from taxi_assets.datasets import DATASETS
from taxi_assets.settings import Settings

__all__ = ["build_automation"]

# Notifications go out within half a minute, or as often as the sensors poll where that is oftener.
_NOTIFY_SECONDS = 30


def build_automation(settings: Settings) -> dg.Definitions:
    """All that starts runs and notifies of them; merge it with the assets and resources.

    In production sensors and schedules run on their own; on a laptop somebody switches them on.
    Notifications are on when a channel is set.
    """
    specs = tuple(DATASETS.values())
    schedule = (
        dg.DefaultScheduleStatus.RUNNING
        if settings.production
        else dg.DefaultScheduleStatus.STOPPED
    )
    sensor = (
        dg.DefaultSensorStatus.RUNNING if settings.production else dg.DefaultSensorStatus.STOPPED
    )
    lag, seconds = settings.schedule_lag_months, settings.sensor_seconds
    return dg.Definitions(
        jobs=[*map(months_job, specs), *map(verify_job, specs), overdue_job(specs), zones_job()],
        schedules=[
            *(month_schedule(spec, lag_months=lag, status=schedule) for spec in specs),
            overdue_schedule(status=schedule),
        ],
        sensors=[
            *(publication_sensor(spec, seconds=seconds, status=sensor) for spec in specs),
            *_notifying(settings),
        ],
    )


def _notifying(settings: Settings) -> list[dg.SensorDefinition]:
    channels = open_channels(settings.notify)
    if not channels:
        return []
    ui_url, seconds = settings.notify.ui_url, min(_NOTIFY_SECONDS, settings.sensor_seconds)
    return [
        failure_sensor(channels, ui_url=ui_url, seconds=seconds),
        loaded_sensor(DATASETS.values(), channels, ui_url=ui_url, seconds=seconds),
        overdue_sensor(DATASETS.values(), channels, ui_url=ui_url, seconds=seconds),
    ]
