"""A dataset's assets, made from its specification: the one factory for all datasets.

Belongs here: putting the four together, and the source they start from. Does not: what any of
them does (``raw``, ``clean``, ``publish``).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import dagster as dg

from taxi_assets.assets.clean import clean_trips
from taxi_assets.assets.common import OWNER, TRIPS_PAGE, source_key
from taxi_assets.assets.partitions import monthly
from taxi_assets.assets.publish import lake_trips, warehouse_trips
from taxi_assets.assets.raw import raw_trips
from taxi_assets.datasets.spec import DatasetSpec


@dataclass(frozen=True, slots=True)
class Kinds:
    """What lake and warehouse are, for the UI's labels: ``gcs``, ``duckdb`` and the like."""

    lake: str
    warehouse: str


def trip_assets(spec: DatasetSpec, kinds: Kinds) -> tuple[dg.AssetSpec, list[dg.AssetsDefinition]]:
    """TLC's files as an external asset, and the four assets in the order of a month's way."""
    source = dg.AssetSpec(
        source_key(spec),
        group_name="tlc",
        description=f"{spec.title}, as TLC publishes it. {spec.description} Its data version is "
        "the file's ETag, which changes when TLC reissues a month.",
        partitions_def=monthly(spec),
        owners=[OWNER],
        kinds={"parquet"},
        metadata={
            "TLC's page": dg.MetadataValue.url(TRIPS_PAGE),
            "data dictionary": dg.MetadataValue.url(spec.dictionary_url),
        },
    )
    with warnings.catch_warnings():
        # Backfill policies are in beta; the pinned Dagster has what is used here.
        warnings.simplefilter("ignore", dg.BetaWarning)
        made = [
            raw_trips(spec),
            clean_trips(spec),
            lake_trips(spec, kinds.lake),
            warehouse_trips(spec, kinds.warehouse),
        ]
    return source, made
