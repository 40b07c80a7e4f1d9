"""Sensors looked through as the daemon does, and records of months that no run has to make.

Belongs here: one look of a sensor, landed months by decree. Does not: any expectation.
"""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData

from taxi_assets.assets.common import trip_key
from taxi_assets.assets.partitions import monthly
from taxi_assets.assets.resources import TlcSource
from taxi_assets.datasets import DATASETS, DatasetSpec, Month
from taxi_assets.simulator.server import Simulator
from taxi_assets.tlc import TlcClient

GREEN = DATASETS["green"]
STOPPED = dg.DefaultSensorStatus.STOPPED


def newest(spec: DatasetSpec = GREEN, back: int = 0) -> Month:
    """The newest month that the dataset has a partition for, or one ``back`` months before."""
    return Month.parse(monthly(spec).get_partition_keys()[-1]).plus(-back)


class Site:
    """A simulator, Dagster's records, and sensors that look from one to the other."""

    def __init__(
        self, tlc: Simulator, instance: dg.DagsterInstance, definitions: dg.Definitions
    ) -> None:
        self.tlc, self.instance, self.definitions = tlc, instance, definitions

    def publish(self, *months: Month, seed: int = 0) -> None:
        """Publish a few rows for each month, or reissue it with another ``seed``."""
        for month in months:
            self.tlc.publish("green", month, rows=20, seed=seed)

    def etag(self, month: Month) -> str:
        """What TLC says now."""
        with TlcClient(self.tlc.url) as client:
            published = client.published("green", month)
        assert published is not None
        assert published.etag is not None
        return published.etag

    def look(self, sensor: dg.SensorDefinition, cursor: str | None = None) -> SensorExecutionData:
        """One tick; the answer's ``cursor`` goes into the next."""
        return look(sensor, self.instance, self.definitions, cursor, tlc_url=self.tlc.url)


def look(
    sensor: dg.SensorDefinition,
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    cursor: str | None = None,
    *,
    tlc_url: str | None = None,
) -> SensorExecutionData:
    """One tick of a sensor, with TLC at ``tlc_url`` where it asks TLC."""
    source = tlc_url and TlcSource(
        url=tlc_url, attempts=1, backoff_seconds=0.001, timeout_seconds=5
    )
    with dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        resources={"tlc": source} if source else None,
        definitions=definitions,
    ) as context:
        return sensor.evaluate_tick(context)


def months_of(data: SensorExecutionData) -> list[str]:
    """The partitions that runs were requested for."""
    return [str(request.partition_key) for request in data.run_requests or []]


def land(
    instance: dg.DagsterInstance,
    months: Iterable[Month],
    *,
    etag: str = '"first"',
    spec: DatasetSpec = GREEN,
) -> None:
    """Record ``months`` as downloaded with ``etag`` and landed, although no run made them."""
    for month in months:
        for name in ("raw_trips", "warehouse_trips"):
            instance.report_runless_asset_event(
                dg.AssetMaterialization(
                    trip_key(spec, name),
                    partition=str(month),
                    tags={
                        "dagster/data_version": etag,
                        "dagster/data_version_is_user_provided": "true",
                    },
                )
            )


def start(site: Site, month: Month, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    """Record a run of green's job for ``month``, queued or failed, although nothing runs."""
    job = site.definitions.resolve_job_def("green_months")
    run = site.instance.create_run_for_job(job, tags={"dagster/partition": str(month)})
    if status is dg.DagsterRunStatus.FAILURE:
        site.instance.report_run_failed(run)
    return run
