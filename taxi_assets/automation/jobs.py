"""The asset jobs: what sensors, schedules, backfills and the command line run.

https://docs.dagster.io/guides/build/jobs/asset-jobs explains them. Add one when people need
another selection of assets and checks under a name.

    <dataset>_months    a month's four assets and their checks
    <dataset>_verify    checks a stored month again without materializing it
    overdue_months      the checks for overdue months of every dataset and of the zones
    zones               the taxi zones
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import dagster as dg

from taxi_assets.assets.common import trip_key
from taxi_assets.assets.zones_check import LOADED_ZONES
from taxi_assets.datasets.spec import DatasetSpec

__all__ = [
    "DATASET_TAG",
    "MONTH_ASSETS",
    "OVERDUE_JOB",
    "ZONES_JOB",
    "job_name",
    "months_job",
    "overdue_job",
    "verify_job",
    "zones_job",
]

# From upstream to downstream.
MONTH_ASSETS: Final = ("raw_trips", "clean_trips", "lake_trips", "warehouse_trips")
ZONES_JOB: Final = "zones"
OVERDUE_JOB: Final = "overdue_months"

# Tags a run with its dataset; lists of runs show it.
DATASET_TAG: Final = "taxi/dataset"

# On Kubernetes a run is a pod, sized for the largest dataset; the others need less. Only in
# production, because elsewhere it has no effect and clutters the lists of runs.
_POD_TAG: Final = "dagster-k8s/config"
_SMALL_POD: Final = {
    "container_config": {
        "resources": {"requests": {"memory": "768Mi"}, "limits": {"memory": "1Gi"}}
    }
}

# The return type of ``dg.define_asset_job`` has no public name; ``dg.Definitions`` accepts it.
_Job = Any


def job_name(spec: DatasetSpec) -> str:
    """The name of the dataset's job, such as ``green_months``."""
    return f"{spec.name}_months"


def months_job(spec: DatasetSpec, *, pods: bool) -> _Job:
    """All four assets of the dataset and their checks, for one month; ``pods`` sizes its pod."""
    assets = dg.AssetSelection.assets(*(trip_key(spec, name) for name in MONTH_ASSETS))
    return dg.define_asset_job(
        job_name(spec),
        selection=assets - dg.AssetSelection.checks(_overdue(spec)),
        description=f"{spec.title}: loads a month from TLC's site into lake and warehouse.",
        tags=_tags(spec, pods=pods),
    )


def verify_job(spec: DatasetSpec, *, pods: bool) -> _Job:
    """Counts and checks a stored month again; backfill it in the UI for many months."""
    checks = dg.AssetSelection.checks(
        dg.AssetCheckKey(trip_key(spec, "raw_trips"), "published_rows"),
        dg.AssetCheckKey(trip_key(spec, "warehouse_trips"), "reconciled"),
    )
    return dg.define_asset_job(
        f"{spec.name}_verify",
        selection=dg.AssetSelection.assets(trip_key(spec, "stored_rows")) | checks,
        description=f"{spec.title}: counts and checks a stored month, and changes nothing.",
        tags=_tags(spec, pods=pods),
    )


def overdue_job(specs: Iterable[DatasetSpec]) -> _Job:
    """The checks for overdue months of every dataset and of the taxi zones."""
    return dg.define_asset_job(
        OVERDUE_JOB,
        selection=dg.AssetSelection.checks(*map(_overdue, specs), LOADED_ZONES),
        description="Checks every dataset for months that should be loaded by now and are not, and "
        "whether the taxi zones are loaded and refreshed.",
    )


def zones_job() -> _Job:
    """The taxi zones, in lake and warehouse."""
    return dg.define_asset_job(
        ZONES_JOB,
        selection=["lake_zones", "taxi_zones"],
        description="Loads the taxi zones from TLC's site into lake and warehouse.",
    )


def _overdue(spec: DatasetSpec) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(trip_key(spec, "warehouse_trips"), "overdue_months")


def _tags(spec: DatasetSpec, *, pods: bool) -> dict[str, str]:
    pod = {_POD_TAG: json.dumps(_SMALL_POD)} if pods and not spec.memory_heavy else {}
    return {DATASET_TAG: spec.name, **pod}
