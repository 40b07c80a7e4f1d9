"""Keys and shared declarations of the datasets' assets.

Add something here when every asset of every dataset needs it.
https://docs.dagster.io/guides/build/assets/defining-assets
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from pydantic import Field

from taxi_assets.assets.partitions import monthly
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.errors import Misconfigured

__all__ = ["OWNER", "TRIPS_PAGE", "Redo", "declared", "month_of", "source_key", "trip_key"]

OWNER = "team:taxi-data"
TRIPS_PAGE = "https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page"


class Redo(dg.Config):
    """Whether something unchanged is materialized again."""

    redo: bool = Field(
        default=False,
        description="Materialize it again although its source, specification and code are "
        "unchanged and it is stored.",
    )


def source_key(spec: DatasetSpec) -> dg.AssetKey:
    """The key of TLC's own files: an external asset, observed and never materialized here."""
    return dg.AssetKey(["tlc", spec.name])


def trip_key(spec: DatasetSpec, name: str) -> dg.AssetKey:
    """The key of one of the dataset's assets, such as ``warehouse_trips``."""
    return dg.AssetKey([spec.name, name])


def declared(spec: DatasetSpec, name: str) -> dict[str, Any]:
    """Arguments of ``@dg.asset`` that all of a dataset's assets share.

    There is no backfill policy, so that Dagster launches one run per partition: a month that fails
    does not affect the others.
    """
    return {
        "key": trip_key(spec, name),
        "group_name": spec.name,
        "partitions_def": monthly(spec),
        "owners": [OWNER],
        "metadata": {
            "TLC's page": dg.MetadataValue.url(TRIPS_PAGE),
            "data dictionary": dg.MetadataValue.url(spec.dictionary_url),
        },
    }


def month_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Month:
    """The month of the run; raises ``Misconfigured`` if it has several."""
    if context.has_partition_key_range:
        several = context.partition_key_range
        raise Misconfigured(
            f"One run was launched for {several.start} to {several.end}, but each month must be a "
            "run of its own.",
            "Launch the months as a backfill, not as a single run.",
        )
    return Month.parse(context.partition_key)
