"""Sensor ticks as the daemon makes them, with the records of stand-in assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData

from taxi_assets.assets.common import trip_key
from taxi_assets.assets.partitions import monthly
from taxi_assets.assets.resources import TlcSource
from taxi_assets.dagster_names import DATA_VERSION_TAG, PARTITION_TAG
from taxi_assets.datasets import DATASETS, DatasetSpec, Month
from taxi_assets.simulator.server import Simulator
from taxi_assets.tlc import TlcClient
from taxi_assets_tests.automation.standins import VERSION, Script

GREEN = DATASETS["green"]
STOPPED = dg.DefaultSensorStatus.STOPPED


def newest(spec: DatasetSpec = GREEN, back: int = 0) -> Month:
    """The dataset's newest partition, or the one ``back`` months before."""
    return Month.parse(monthly(spec).get_partition_keys()[-1]).plus(-back)


class Records:
    """An instance whose records come from runs of stand-in assets or are written directly."""

    def __init__(
        self, instance: dg.DagsterInstance, definitions: dg.Definitions, script: Script
    ) -> None:
        self.instance, self.definitions, self.script = instance, definitions, script

    def run(
        self, month: Month | None, *, job: str = "green_months", **tags: str
    ) -> dg.ExecuteInProcessResult:
        """Execute the job."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            partition_key=str(month) if month else None,
            instance=self.instance,
            tags=tags,
            raise_on_error=False,
        )

    def start(
        self, month: Month | None, status: dg.DagsterRunStatus, *, job: str = "green_months"
    ) -> dg.DagsterRun:
        """Record a run of the job without executing it."""
        found = self.definitions.resolve_job_def(job)
        tags = {PARTITION_TAG: str(month)} if month else {}
        run = self.instance.create_run_for_job(found, tags={**found.tags, **tags})
        if status is dg.DagsterRunStatus.FAILURE:
            self.instance.report_run_failed(run)
        return run

    def load(
        self,
        months: Iterable[Month],
        *,
        etag: str = '"first"',
        metadata: Mapping[str, str] | None = None,
        version: str = VERSION,
    ) -> None:
        """Record months of green as downloaded with ``etag`` and loaded, without a run."""
        for month in months:
            for name in ("raw_trips", "warehouse_trips"):
                self.instance.report_runless_asset_event(
                    dg.AssetMaterialization(
                        trip_key(GREEN, name),
                        partition=str(month),
                        metadata={"etag": etag} if metadata is None else metadata,
                        tags={DATA_VERSION_TAG: version},
                    )
                )


class Site:
    """A simulated TLC and Dagster's records, for sensors to poll and read."""

    def __init__(self, tlc: Simulator, records: Records) -> None:
        self.tlc, self.records = tlc, records

    def publish(self, *months: Month, seed: int = 0) -> None:
        """Publish a few rows for each month, or reissue it with another ``seed``."""
        for month in months:
            self.tlc.publish("green", month, rows=20, seed=seed)

    def etag(self, month: Month) -> str:
        """The ETag that TLC sends now."""
        with TlcClient(self.tlc.url) as client:
            published = client.published("green", month)
        assert published is not None
        assert published.etag is not None
        return published.etag

    def loaded(self, *months: Month) -> None:
        """Publish ``months`` and record them as loaded in that version."""
        self.publish(*months)
        for month in months:
            self.records.load([month], etag=self.etag(month))

    def tick(self, sensor: dg.SensorDefinition, cursor: str | None = None) -> SensorExecutionData:
        """One tick; pass the result's ``cursor`` to the next."""
        return tick(sensor, self.records, cursor, tlc_url=self.tlc.url)


def tick(
    sensor: dg.SensorDefinition,
    records: Records,
    cursor: str | None = None,
    *,
    tlc_url: str | None = None,
) -> SensorExecutionData:
    """One tick of a sensor; ``tlc_url`` is needed if it polls TLC."""
    source = tlc_url and TlcSource(
        url=tlc_url, attempts=1, backoff_seconds=0.001, timeout_seconds=5
    )
    with dg.build_sensor_context(
        instance=records.instance,
        cursor=cursor,
        resources={"tlc": source} if source else None,
        definitions=records.definitions,
    ) as context:
        return sensor.evaluate_tick(context)


def months_of(data: SensorExecutionData) -> list[str]:
    """The partitions of the requested runs."""
    return [str(request.partition_key) for request in data.run_requests or []]
