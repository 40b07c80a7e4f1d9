"""The factory of a dataset's assets and checks, from its specification.

TLC's own files are an external asset, observed and never materialized here
(https://docs.dagster.io/guides/build/assets/external-assets). To give every dataset another asset,
write a module for it and add it to ``trip_assets``.
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from taxi_assets.assets.clean import clean_trips
from taxi_assets.assets.common import OWNER, TRIPS_PAGE, source_key
from taxi_assets.assets.lake import lake_trips
from taxi_assets.assets.partitions import monthly
from taxi_assets.assets.raw import raw_trips
from taxi_assets.assets.stored_checks import stored_checks, stored_rows
from taxi_assets.assets.warehouse import warehouse_trips
from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["DatasetAssets", "Kinds", "trip_assets"]


@dataclass(frozen=True, slots=True)
class Kinds:
    """The format of the published files, and the technology of lake and warehouse, such as ``gcs``
    and ``duckdb``, for UI labels.
    """

    source: str
    lake: str
    warehouse: str


@dataclass(frozen=True, slots=True)
class DatasetAssets:
    """TLC's files, the assets from upstream to downstream, and the checks of a dataset."""

    source: dg.AssetSpec
    assets: list[dg.AssetsDefinition]
    checks: list[dg.AssetChecksDefinition]


def trip_assets(spec: DatasetSpec, kinds: Kinds) -> DatasetAssets:
    """The assets and checks of the dataset that ``spec`` describes."""
    source = dg.AssetSpec(
        source_key(spec),
        group_name="tlc",
        description=f"{spec.title}, as TLC publishes it. {spec.description} Its data version is "
        "the file's ETag, which changes when TLC reissues a month.",
        partitions_def=monthly(spec),
        owners=[OWNER],
        kinds={kinds.source},
        metadata={
            "TLC's page": dg.MetadataValue.url(TRIPS_PAGE),
            "data dictionary": dg.MetadataValue.url(spec.dictionary_url),
        },
    )
    assets = [
        raw_trips(spec, kinds.source),
        clean_trips(spec),
        lake_trips(spec, kinds.lake),
        warehouse_trips(spec, kinds.warehouse),
        stored_rows(spec),
    ]
    return DatasetAssets(source, assets, stored_checks(spec))
