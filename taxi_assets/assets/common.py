"""What the four assets of a dataset have in common.

Belongs here: their keys, what every one of them is declared with. Does not: what any one does.
"""

from __future__ import annotations

import hashlib
from typing import Any

import dagster as dg

from taxi_assets.assets.checks import Check, check_specs
from taxi_assets.assets.partitions import monthly
from taxi_assets.datasets.spec import DatasetSpec

OWNER = "team:taxi-data"
TRIPS_PAGE = "https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page"


def source_key(spec: DatasetSpec) -> dg.AssetKey:
    """TLC's own files of the dataset: observed, never made here."""
    return dg.AssetKey(["tlc", spec.name])


def trip_key(spec: DatasetSpec, name: str) -> dg.AssetKey:
    """One of the dataset's four assets, such as ``warehouse_trips``."""
    return dg.AssetKey([spec.name, name])


def code_version(spec: DatasetSpec) -> str:
    """Changes whenever the specification does, so that the UI marks cleaned months as outdated."""
    return hashlib.sha256(repr(spec).encode()).hexdigest()[:12]


def declared(spec: DatasetSpec, name: str, checks: tuple[Check, ...]) -> dict[str, Any]:
    """Arguments of ``@dg.asset`` that all four share."""
    key = trip_key(spec, name)
    return {
        "key": key,
        "group_name": spec.name,
        "partitions_def": monthly(spec),
        "backfill_policy": dg.BackfillPolicy.multi_run(spec.months_per_run),
        "check_specs": check_specs(spec, key, checks),
        "owners": [OWNER],
        "metadata": {
            "TLC's page": dg.MetadataValue.url(TRIPS_PAGE),
            "data dictionary": dg.MetadataValue.url(spec.dictionary_url),
        },
    }
