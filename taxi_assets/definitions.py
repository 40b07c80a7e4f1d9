"""The one Definitions object: what exists, per environment. Nothing else belongs here."""

from __future__ import annotations

import os
from typing import Any

import dagster as dg

from taxi_assets.assets.resources import Limits, Previous, Scratch, TlcSource
from taxi_assets.assets.trips import Kinds, trip_assets
from taxi_assets.assets.zones import lake_zones, taxi_zones
from taxi_assets.automation.wiring import build_automation
from taxi_assets.datasets import DATASETS
from taxi_assets.lake.io_manager import LakeResource
from taxi_assets.settings import TLC_URL, WAREHOUSE_URL, Setting, Settings
from taxi_assets.warehouse.factory import bigquery_address
from taxi_assets.warehouse.io_manager import WarehouseResource

_KINDS = {"file": "file", "gs": "gcs", "s3": "s3", "az": "azure", "postgresql": "postgres"}


def build_definitions(settings: Settings) -> dg.Definitions:
    """Everything, wired for ``settings``."""
    kinds = Kinds(lake=_kind(settings.lake_url), warehouse=_kind(settings.warehouse_url))
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        lake_zones(kinds.lake),
        taxi_zones(kinds.warehouse),
    ]
    checks: list[dg.AssetChecksDefinition] = []
    for spec in DATASETS.values():
        of_dataset = trip_assets(spec, kinds)
        assets += [of_dataset.source, *of_dataset.assets]
        checks += of_dataset.checks
    made = dg.Definitions(
        assets=assets,
        asset_checks=checks,
        resources=_resources(settings),
        # The steps of a month are a chain: one process serves them all, and no file passes
        # between processes. Runs are what is parallel.
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(made, build_automation(settings))


def _resources(settings: Settings) -> dict[str, Any]:
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
        "warehouse": _warehouse(settings, scratch),
    }


def _warehouse(settings: Settings, scratch: str) -> dg.ConfigurableIOManagerFactory[Any]:
    if _kind(settings.warehouse_url) == "bigquery":
        return _bigquery(settings, scratch)
    return WarehouseResource(
        url=_address(WAREHOUSE_URL, settings.warehouse_url),
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


defs = build_definitions(Settings.from_env())
