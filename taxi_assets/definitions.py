"""The one Definitions object: what exists, per environment.

``defs`` is what Dagster's tools look for
(https://docs.dagster.io/guides/build/projects-and-components). Add an asset, a job or a sensor to
its own package; here, only what is wired by a setting.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import dagster as dg

from taxi_assets.assets.resources import Limits, TlcSource
from taxi_assets.assets.trips import Kinds, trip_assets
from taxi_assets.assets.zones import zone_assets
from taxi_assets.automation.wiring import build_automation
from taxi_assets.console import PROGRESS, progress
from taxi_assets.datasets import DATASETS
from taxi_assets.lake.io_manager import LakeIOManager
from taxi_assets.settings import TLC_URL, WAREHOUSE_URL, Setting, Settings
from taxi_assets.warehouse.io_manager import WarehouseResource
from taxi_assets.warehouse.opening import bigquery_address

_KINDS = {"file": "file", "gs": "gcs", "s3": "s3", "az": "azure", "postgresql": "postgres"}


def build_definitions(settings: Settings) -> dg.Definitions:
    """Everything, wired for ``settings``."""
    kinds = Kinds(lake=_kind(settings.lake_url), warehouse=_kind(settings.warehouse_url))
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
    for spec in DATASETS.values():
        source, trips = trip_assets(spec, kinds)
        assets += [source, *trips]
    assets += zone_assets(kinds.lake, kinds.warehouse)
    made = dg.Definitions(
        assets=assets,
        resources=_resources(settings),
        # The steps of a month are a chain: one process serves them all, and no file passes
        # between processes. Runs are what is parallel.
        executor=dg.in_process_executor,
        loggers={"console": dg.colored_console_logger, PROGRESS: progress},
    )
    return dg.Definitions.merge(made, build_automation(settings))


@dg.definitions
@cache
def defs() -> dg.Definitions:
    """What ``dagster``, ``dg`` and the code server find in this module.

    Nothing is made, and no setting read, before one of them asks; each asks more than once.
    """
    return build_definitions(Settings.from_env())


def _resources(settings: Settings) -> dict[str, Any]:
    scratch = str(settings.scratch)
    return {
        "tlc": TlcSource(url=_address(TLC_URL, settings.tlc_url)),
        "limits": Limits(
            memory_limit=settings.memory_limit,
            row_counts=str(settings.row_counts) if settings.row_counts else None,
        ),
        "lake": LakeIOManager(url=settings.lake_url, scratch=scratch),
        "warehouse": _warehouse(settings, scratch),
    }


def _warehouse(settings: Settings, scratch: str) -> dg.ConfigurableIOManagerFactory[Any]:
    if _kind(settings.warehouse_url) == "bigquery":
        return _bigquery(settings, scratch)
    return WarehouseResource(
        url=_address(WAREHOUSE_URL, settings.warehouse_url),
        lake_url=settings.lake_url,
        scratch=scratch,
        memory_limit=settings.memory_limit,
    )


def _bigquery(settings: Settings, scratch: str) -> dg.ConfigurableIOManagerFactory[Any]:
    # Google's clients take a second to import, which only those who use them should pay.
    from taxi_assets.warehouse.bigquery_io_manager import (  # noqa: PLC0415
        BigQueryWarehouseIOManager,
    )

    named = bigquery_address(settings.warehouse_url)
    return BigQueryWarehouseIOManager(
        project=named.project,
        dataset=named.dataset,
        location=named.location,
        require_partition_filter=named.require_partition_filter,
        lake_url=settings.lake_url,
        scratch=scratch,
    )


def _address(setting: Setting, value: str) -> str:
    """The value or, where the environment has set it, the name of the variable.

    The UI shows what a resource is configured with, and an address may hold a password.
    """
    is_set = os.environ.get(setting.name, "").rstrip("/") == value.rstrip("/")
    return dg.EnvVar(setting.name) if is_set else value


def _kind(url: str) -> str:
    scheme = url.partition(":")[0].partition("+")[0]
    return _KINDS.get(scheme, scheme)
