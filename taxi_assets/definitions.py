"""The project's ``Definitions``, built from the settings.

``defs`` is what Dagster's tools load
(https://docs.dagster.io/guides/build/projects-and-components). Assets, jobs and sensors belong in
their own packages; add here only what depends on a setting.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import dagster as dg

from taxi_assets.addresses import LakeAddress, WarehouseAddress, lake_address, warehouse_address
from taxi_assets.assets.resources import Limits, Previous, Scratch, TlcSource
from taxi_assets.assets.trips import Kinds, trip_assets
from taxi_assets.assets.zones import lake_zones, taxi_zones
from taxi_assets.assets.zones_check import loaded_zones
from taxi_assets.automation.factory import build_automation
from taxi_assets.console import PROGRESS, progress
from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.csv_columns import in_format
from taxi_assets.lake.io_manager import LakeResource
from taxi_assets.settings import LAKE_URL, TLC_URL, WAREHOUSE_URL, Setting, Settings
from taxi_assets.warehouse.database import DatabaseResource
from taxi_assets.warehouse.io_manager import WarehouseResource

__all__ = ["build_definitions", "defs"]


def build_definitions(settings: Settings) -> dg.Definitions:
    """All definitions for ``settings``."""
    lake, warehouse = lake_address(settings.lake_url), warehouse_address(settings.warehouse_url)
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        lake_zones(lake.kind),
        taxi_zones(warehouse.kind),
    ]
    checks: list[dg.AssetChecksDefinition] = [loaded_zones()]
    for spec in DATASETS.values():
        published = in_format(spec, settings.source_format)
        source = "csv" if settings.source_format.is_csv else "parquet"
        dataset = trip_assets(published, Kinds(source, lake.kind, warehouse.kind))
        assets += [dataset.source, *dataset.assets]
        checks += dataset.checks
    definitions = dg.Definitions(
        assets=assets,
        asset_checks=checks,
        resources=_resources(settings, lake, warehouse),
        # The steps of a month are sequential and share local files, so they run in one process.
        # Runs are parallel.
        executor=dg.in_process_executor,
        loggers={"console": dg.colored_console_logger, PROGRESS: progress},
    )
    return dg.Definitions.merge(definitions, build_automation(settings))


@dg.definitions
@cache
def defs() -> dg.Definitions:
    """The entry point of ``dagster``, ``dg`` and the code server.

    Lazy, so that importing this module reads no setting, and cached, because it is called several
    times.
    """
    settings = Settings.from_env()
    settings.set_umask()
    return build_definitions(settings)


def _resources(
    settings: Settings, lake: LakeAddress, warehouse: WarehouseAddress
) -> dict[str, Any]:
    scratch = str(settings.scratch)
    clients = _clients(settings, lake, warehouse)
    lake_manager = LakeResource(
        url=_address(LAKE_URL, settings.lake_url),
        scratch=scratch,
        file_format=settings.source_format.value,
        **({"gcs": clients["gcs"]} if lake.kind == "gcs" else {}),
    )
    return {
        **clients,
        "tlc": TlcSource(
            url=_address(TLC_URL, settings.tlc_url), file_format=settings.source_format.value
        ),
        "limits": Limits(
            memory_limit=settings.memory_limit,
            row_counts=str(settings.row_counts) if settings.row_counts else None,
            lag_months=settings.schedule_lag_months,
        ),
        "scratch": Scratch(root=scratch),
        "previous": Previous(lake=lake_manager),
        "lake": lake_manager,
        "warehouse": _warehouse(warehouse, scratch, clients),
    }


def _clients(
    settings: Settings, lake: LakeAddress, warehouse: WarehouseAddress
) -> dict[str, dg.ConfigurableResource[Any]]:
    """The clients of the configured services, which lake and warehouse use too.

    Google's take a second to import, so they are imported only if they are used.
    """
    clients: dict[str, dg.ConfigurableResource[Any]] = {}
    if lake.kind == "gcs" or warehouse.kind == "bigquery":
        from taxi_assets.gcp_clients import GoogleBigQuery, GoogleStorage  # noqa: PLC0415

        clients["gcs"] = GoogleStorage()
        if warehouse.kind == "bigquery":
            clients["bigquery"] = GoogleBigQuery(
                project=warehouse.project, location=warehouse.location
            )
    if warehouse.kind != "bigquery":
        clients["database"] = DatabaseResource(
            url=_address(WAREHOUSE_URL, settings.warehouse_url),
            memory_limit=settings.memory_limit,
        )
    return clients


def _warehouse(
    address: WarehouseAddress, scratch: str, clients: Mapping[str, dg.ConfigurableResource[Any]]
) -> dg.ConfigurableIOManagerFactory[Any]:
    if address.kind != "bigquery":
        return WarehouseResource(database=clients["database"], scratch=scratch)
    from taxi_assets.warehouse.bigquery_io_manager import (  # noqa: PLC0415 - a slow import
        BigQueryWarehouseIOManager,
    )

    return BigQueryWarehouseIOManager(
        bigquery=clients["bigquery"],
        gcs=clients["gcs"],
        project=address.project,
        dataset=address.dataset,
        location=address.location,
        require_partition_filter=address.require_partition_filter,
        scratch=scratch,
    )


def _address(setting: Setting, value: str) -> str:
    """The value or, if it comes from the environment, a reference to the variable.

    The UI shows the configuration of resources, and an address may contain a password.
    """
    is_set = os.environ.get(setting.name, "").rstrip("/") == value.rstrip("/")
    return dg.EnvVar(setting.name) if is_set else value
