"""Jobs, schedules and sensors for the settings in force.

Belongs here: putting them together, and which run on their own. Does not: what any one does.
"""

from __future__ import annotations

import dagster as dg

from taxi_assets.automation.channels import open_channels
from taxi_assets.automation.jobs import months_job, zones_job
from taxi_assets.automation.notifications import failure_sensor, landing_sensor
from taxi_assets.automation.publication import publication_sensor
from taxi_assets.automation.reissues import reissue_sensor
from taxi_assets.automation.schedules import month_schedule
from taxi_assets.automation.watch import watch_job, watch_sensor
from taxi_assets.datasets import DATASETS
from taxi_assets.settings import Settings

# News is told within half a minute, or as often as the sensors look where that is oftener.
_TELL_SECONDS = 30


def build_automation(settings: Settings) -> dg.Definitions:
    """All that starts runs and tells of them; merge it with the assets and resources.

    In production the sensors run on their own; on a laptop somebody switches them on. The
    schedules are for who prefers them to the sensors, which do the same sooner, and notifications
    are on when a channel is set.
    """
    specs = tuple(DATASETS.values())
    lag = settings.schedule_lag_months
    return dg.Definitions(
        jobs=[*map(months_job, specs), zones_job(), watch_job(specs, lag_months=lag)],
        schedules=[
            month_schedule(spec, lag_months=lag, status=_schedule_status(settings))
            for spec in specs
        ],
        sensors=[*_looking(settings), *_telling(settings)],
    )


def _looking(settings: Settings) -> list[dg.SensorDefinition]:
    status = (
        dg.DefaultSensorStatus.RUNNING if settings.production else dg.DefaultSensorStatus.STOPPED
    )
    seconds = settings.sensor_seconds
    sensors = [
        make(spec, seconds=seconds, status=status)
        for spec in DATASETS.values()
        for make in (publication_sensor, reissue_sensor)
    ]
    watch = watch_sensor(DATASETS.values(), lag_months=settings.schedule_lag_months, status=status)
    return [*sensors, watch]


def _telling(settings: Settings) -> list[dg.SensorDefinition]:
    channels = open_channels(settings.notify)
    if not channels:
        return []
    ui_url, seconds = settings.notify.ui_url, min(_TELL_SECONDS, settings.sensor_seconds)
    return [
        failure_sensor(channels, ui_url=ui_url, seconds=seconds),
        landing_sensor(DATASETS.values(), channels, ui_url=ui_url, seconds=seconds),
    ]


def _schedule_status(settings: Settings) -> dg.DefaultScheduleStatus:
    if settings.production:
        return dg.DefaultScheduleStatus.RUNNING
    return dg.DefaultScheduleStatus.STOPPED
