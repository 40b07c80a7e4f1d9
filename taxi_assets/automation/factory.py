"""Builds the jobs, schedules and sensors from the settings.

Only what runs automatically is decided here. Add every new job, schedule or sensor to
``build_automation``; what it does belongs in its own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import dagster as dg

from taxi_assets.addresses import warehouse_address
from taxi_assets.automation.channels import open_channels
from taxi_assets.automation.jobs import months_job, overdue_job, verify_job, zones_job
from taxi_assets.automation.notifications import failure_sensor, loaded_sensor, overdue_sensor
from taxi_assets.automation.publication import publication_sensor
from taxi_assets.automation.schedules import month_schedule, overdue_schedule, zones_schedule
from taxi_assets.automation.zones import zones_sensor
from taxi_assets.datasets import DATASETS, DatasetSpec, Month
from taxi_assets.datasets.stored import Part
from taxi_assets.settings import Settings
from taxi_assets.warehouse.factory import open_warehouse

__all__ = ["build_automation"]

# The longest interval of the notifying sensors; shorter where the publication sensors' is.
_NOTIFY_SECONDS = 30


def build_automation(settings: Settings) -> dg.Definitions:
    """Everything that starts runs and notifies about them, to be merged with the assets.

    In production sensors and schedules are on by default; on a laptop they are switched on in the
    UI. Notifications are on when a channel is configured.
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
    # The other engines load both tables in one transaction.
    may_split = warehouse_address(settings.warehouse_url).kind == "bigquery"
    split = partial(_split_months, settings.warehouse_url) if may_split else None
    lag, seconds = settings.schedule_lag_months, settings.sensor_seconds
    return dg.Definitions(
        jobs=[
            *(months_job(spec, pods=settings.production) for spec in specs),
            *(verify_job(spec, pods=settings.production) for spec in specs),
            overdue_job(specs),
            zones_job(),
        ],
        schedules=[
            *(month_schedule(spec, lag_months=lag, status=schedule) for spec in specs),
            overdue_schedule(status=schedule),
            zones_schedule(status=schedule),
        ],
        sensors=[
            *(
                publication_sensor(spec, seconds=seconds, status=sensor, split=split)
                for spec in specs
            ),
            zones_sensor(status=sensor),
            *_notification_sensors(settings),
        ],
    )


def _split_months(warehouse_url: str, spec: DatasetSpec) -> Mapping[Month, str]:
    return open_warehouse(warehouse_url).split_months([f"{spec.name}_{part}" for part in Part])


def _notification_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    channels = open_channels(settings.notify)
    if not channels:
        return []
    ui_url, seconds = settings.notify.ui_url, min(_NOTIFY_SECONDS, settings.sensor_seconds)
    return [
        failure_sensor(channels, ui_url=ui_url, seconds=seconds),
        loaded_sensor(DATASETS.values(), channels, ui_url=ui_url, seconds=seconds),
        overdue_sensor(DATASETS.values(), channels, ui_url=ui_url, seconds=seconds),
    ]
