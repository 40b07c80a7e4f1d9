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

from taxi_assets.addresses import WarehouseAddress, lake_address, warehouse_address
from taxi_assets.assets.resources import Limits, Previous, Scratch, TlcSource
from taxi_assets.assets.trips import Kinds, trip_assets
from taxi_assets.assets.zones import lake_zones, taxi_zones
from taxi_assets.automation.factory import build_automation
from taxi_assets.console import PROGRESS, progress
from taxi_assets.datasets import DATASETS
from taxi_assets.lake.io_manager import LakeResource
from taxi_assets.settings import TLC_URL, WAREHOUSE_URL, Setting, Settings
from taxi_assets.warehouse.io_manager import WarehouseResource


def build_definitions(settings: Settings) -> dg.Definitions:
    """Everything, wired for ``settings``."""
    lake, warehouse = lake_address(settings.lake_url), warehouse_address(settings.warehouse_url)
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        lake_zones(lake.kind),
        taxi_zones(warehouse.kind),
    ]
    checks: list[dg.AssetChecksDefinition] = []
    for spec in DATASETS.values():
        of_dataset = trip_assets(spec, Kinds(lake.kind, warehouse.kind))
        assets += [of_dataset.source, *of_dataset.assets]
        checks += of_dataset.checks
    made = dg.Definitions(
        assets=assets,
        asset_checks=checks,
        resources=_resources(settings, warehouse),
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


def _resources(settings: Settings, warehouse: WarehouseAddress) -> dict[str, Any]:
    scratch = str(settings.scratch)
    return {
        "tlc": TlcSource(url=_address(TLC_URL, settings.tlc_url)),
        "limits": Limits(
            memory_limit=settings.memory_limit,
            row_counts=str(settings.row_counts) if settings.row_counts else None,
            lag_months=settings.schedule_lag_months,
        ),
        "scratch": Scratch(root=scratch),
        "previous": Previous(url=settings.lake_url, scratch=scratch),
        "lake": LakeResource(url=settings.lake_url, scratch=scratch),
        "warehouse": _warehouse(settings, warehouse, scratch),
    }


def _warehouse(
    settings: Settings, address: WarehouseAddress, scratch: str
) -> dg.ConfigurableIOManagerFactory[Any]:
    if address.kind != "bigquery":
        return WarehouseResource(
            url=_address(WAREHOUSE_URL, settings.warehouse_url),
            scratch=scratch,
            memory_limit=settings.memory_limit,
        )
    # Google's clients take a second to import, which only those who use them should pay.
    from taxi_assets.warehouse.bigquery_io_manager import (  # noqa: PLC0415
        BigQueryWarehouseIOManager,
    )

    return BigQueryWarehouseIOManager(
        project=address.project,
        dataset=address.dataset,
        location=address.location,
        require_partition_filter=address.require_partition_filter,
        scratch=scratch,
    )


def _address(setting: Setting, value: str) -> str:
    """The value or, where the environment has set it, the name of the variable.

    The UI shows what a resource is configured with, and an address may hold a password.
    """
    is_set = os.environ.get(setting.name, "").rstrip("/") == value.rstrip("/")
    return dg.EnvVar(setting.name) if is_set else value
