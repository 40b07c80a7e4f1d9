"""The jobs that sensors, schedules and commands start.

Belongs here: which assets run together, under which name. Does not: when they run
(``schedules``, ``publication``).
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from taxi_assets.datasets.spec import DatasetSpec

ZONES_JOB = "zones"


def job_name(spec: DatasetSpec) -> str:
    """The job that takes months of the dataset all the way, such as ``green_months``."""
    return f"{spec.name}_months"


def asset_jobs(specs: Sequence[DatasetSpec]) -> list[UnresolvedAssetJobDefinition]:
    """One job per dataset, and one for the taxi zones."""
    months = [
        dg.define_asset_job(
            job_name(spec),
            selection=dg.AssetSelection.groups(spec.name),
            description=f"{spec.title}: a month from TLC's site to the warehouse.",
        )
        for spec in specs
    ]
    zones = dg.define_asset_job(
        ZONES_JOB,
        selection=dg.AssetSelection.groups("zones"),
        description="The taxi zones, from TLC's site to the warehouse.",
    )
    return [*months, zones]
