"""The jobs: a dataset's months from the web to the warehouse, and the zones.

Belongs here: names and selections of jobs. Does not: when they run (``publication``,
``reissues``, ``schedules``).
"""

from __future__ import annotations

import json
from typing import Final

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from taxi_assets.assets.common import trip_key
from taxi_assets.datasets.spec import DatasetSpec

# In the order of a month's way.
MONTH_ASSETS: Final = ("raw_trips", "clean_trips", "lake_trips", "warehouse_trips")
ZONES_JOB: Final = "zones"

# On Kubernetes a run is a pod, sized for the largest dataset; the others need less. Elsewhere the
# tag means nothing.
_POD_TAG: Final = "dagster-k8s/config"
_SMALL_POD: Final = {
    "container_config": {
        "resources": {"requests": {"memory": "768Mi"}, "limits": {"memory": "1Gi"}}
    }
}


def job_name(spec: DatasetSpec) -> str:
    """The name of the dataset's job, such as ``green_months``."""
    return f"{spec.name}_months"


def months_job(spec: DatasetSpec) -> UnresolvedAssetJobDefinition:
    """All four assets of the dataset, for one month or several."""
    return dg.define_asset_job(
        job_name(spec),
        selection=[trip_key(spec, name) for name in MONTH_ASSETS],
        description=f"{spec.title}: a month from TLC's site into lake and warehouse.",
        tags={} if spec.memory_heavy else {_POD_TAG: json.dumps(_SMALL_POD)},
    )


def zones_job() -> UnresolvedAssetJobDefinition:
    """The taxi zones, in lake and warehouse."""
    return dg.define_asset_job(
        ZONES_JOB,
        selection=["lake_zones", "taxi_zones"],
        description="The taxi zones from TLC's site into lake and warehouse.",
    )
