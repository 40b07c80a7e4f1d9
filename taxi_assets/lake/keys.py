"""The keys of objects in the lake, by asset and month. Change the lake's layout here.

raw/<dataset>/<file name as published>                       byte-identical
staging/<dataset>/<month>/trips.parquet                      cleaned and audited
staging/<dataset>/<month>/rejects-<version>.parquet          its rejects
trips/<dataset>/year=2024/month=01/trips.parquet             published
rejects/<dataset>/year=2024/month=01/rejects-<version>.parquet   its rejects
zones/taxi_zones.parquet                                     the taxi zones
assets/<asset key>[/<partition>].parquet                     all other assets
"""

from __future__ import annotations

from collections.abc import Sequence

from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec

__all__ = [
    "ZONES",
    "is_monthly",
    "month_of",
    "of_asset",
    "published",
    "raw",
    "rejects",
    "rejects_name",
    "staging",
]

ZONES = "zones/taxi_zones.parquet"


def raw(spec: DatasetSpec, month: Month) -> str:
    """The published file, byte for byte."""
    return f"raw/{spec.name}/{spec.file_name(month)}"


def staging(spec: DatasetSpec, month: Month) -> str:
    """The trips of a cleaned month."""
    return f"staging/{spec.name}/{month}/trips.parquet"


def published(spec: DatasetSpec, month: Month) -> str:
    """The trips of a published month."""
    return f"trips/{spec.name}/year={month.year:04d}/month={month.month:02d}/trips.parquet"


def rejects_name(version: str) -> str:
    """The file name of the rejects of that version."""
    return f"rejects-{version}.parquet"


def rejects(trips: str, name: str) -> str:
    """The rejects called ``name`` of the month whose trips are under the key ``trips``."""
    folder = trips.rpartition("/")[0]
    zone, _, rest = folder.partition("/")
    return f"rejects/{rest}/{name}" if zone == "trips" else f"{folder}/{name}"


def other_asset(path: Sequence[str], partition: str | None) -> str:
    """The key of any other asset."""
    return "/".join(["assets", *path, *([partition] if partition else [])]) + ".parquet"


def of_asset(path: Sequence[str], partition: str | None) -> str:
    """The key of a partition of the asset ``path``; of a month's trips, if it has two parts."""
    if partition is not None and is_monthly(path):
        spec, month = month_of(path, partition)
        match path[1]:
            case "raw_trips":
                return raw(spec, month)
            case "clean_trips":
                return staging(spec, month)
            case "lake_trips":
                return published(spec, month)
    return ZONES if list(path) == ["lake_zones"] else other_asset(path, partition)


def is_monthly(path: Sequence[str]) -> bool:
    """Whether ``path`` is an asset of a TLC dataset."""
    return len(path) == 2 and path[0] in DATASETS


def month_of(path: Sequence[str], partition: str) -> tuple[DatasetSpec, Month]:
    """The dataset and month of a partition of such an asset."""
    return DATASETS[path[0]], Month.parse(partition)
