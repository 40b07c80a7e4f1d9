"""The keys of objects in the lake, by asset and month. Change the lake's layout here.

raw/<dataset>/<file name as published>                       byte-identical
staging/<dataset>/<month>/trips.parquet                      cleaned and audited
staging/<dataset>/<month>/rejects-<version>-….parquet        its rejects
trips/<dataset>/year=2024/month=01/trips.parquet             published
rejects/<dataset>/year=2024/month=01/rejects-<version>-….parquet its rejects
zones/taxi_zones.parquet                                     the taxi zones
assets/<asset key>[/<partition>].parquet                     all other assets, escaped
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from taxi_assets.datasets import DATASETS
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.errors import Misconfigured

__all__ = [
    "ZONES",
    "asset_of",
    "has_rejects",
    "month_of",
    "of_asset",
    "published",
    "raw",
    "rejects",
    "staging",
]

ZONES = "zones/taxi_zones.parquet"

# What is escaped in the name of an asset and in a partition key. A name has neither dots, so that a
# folder never has the name of an object, nor capitals, which some file systems do not distinguish.
_IN_NAME: Final = re.compile(r"\A[0-9]|[^a-z0-9_]")
_IN_PARTITION: Final = re.compile(r"\A\.|[^a-z0-9_ .:|+,-]")
_OF_MONTH: Final = re.compile(
    r"raw/\w+/(?P<raw>\w+)_tripdata_(?P<raw_month>\d{4}-\d{2})\.(parquet|csv(\.gz)?)"
    r"|staging/(?P<staged>\w+)/(?P<staged_month>\d{4}-\d{2})/[^/]+"
    r"|(trips|rejects)/(?P<published>\w+)/year=(?P<year>\d{4})/month=(?P<month>\d{2})/[^/]+"
)
_LIKE_A_NAME: Final = re.compile(r"(?![0-9])[a-z0-9_~]*")
# A file's name has at most 255 bytes, of which the local lake needs some, and a key 1,024.
_NAME_LIMIT: Final = 200
_KEY_LIMIT: Final = 800


def raw(spec: DatasetSpec, month: Month, file_format: FileFormat = FileFormat.PARQUET) -> str:
    """The published file, byte for byte, under its own name."""
    return f"raw/{spec.name}/{spec.file_name(month, file_format)}"


def staging(spec: DatasetSpec, month: Month) -> str:
    """The trips of a cleaned month."""
    return f"staging/{spec.name}/{month}/trips.parquet"


def published(spec: DatasetSpec, month: Month) -> str:
    """The trips of a published month."""
    return f"trips/{spec.name}/year={month.year:04d}/month={month.month:02d}/trips.parquet"


def rejects(trips: str, name: str) -> str:
    """The rejects called ``name`` of the month whose trips are under the key ``trips``."""
    folder = trips.rpartition("/")[0]
    zone, _, rest = folder.partition("/")
    return f"rejects/{rest}/{name}" if zone == "trips" else f"{folder}/{name}"


_OF_MONTHS = {"clean_trips": staging, "lake_trips": published}


def other_asset(path: Sequence[str], partition: str | None) -> str:
    """The key of any other asset: below ``assets/``, and of no other asset or partition.

    A partition key that could be the name of an asset, such as ``manhattan``, is marked:
    ``assets/trips/partition=manhattan.parquet`` is not that of an asset ``trips/manhattan``.
    Raises ``Misconfigured`` if the key would be too long.
    """
    names = [_escaped(_IN_NAME, each) or "~" for each in path]
    if partition is not None:
        key = _escaped(_IN_PARTITION, partition)
        names.append(f"partition={key}" if _LIKE_A_NAME.fullmatch(key) else key)
    if max(map(len, names)) > _NAME_LIMIT or len("/".join(names)) > _KEY_LIMIT:
        where = "/".join(path)[:80] + ("" if partition is None else f", partition {partition[:80]}")
        raise Misconfigured(
            f"The names of asset {where!r} are too long for the lake.",
            f"Use names of at most {_NAME_LIMIT} characters, together {_KEY_LIMIT}; characters "
            "other than small letters, digits and _ count as three or more.",
        )
    return "/".join(["assets", *names]) + ".parquet"


def of_asset(
    path: Sequence[str],
    partition: str | None,
    file_format: FileFormat = FileFormat.PARQUET,
) -> str:
    """The key of a partition of the asset ``path``; of a month's trips, if it has two parts.

    ``file_format`` is that of published files.
    """
    if partition is not None and len(path) == 2 and path[0] in DATASETS:
        if path[1] == "raw_trips":
            return raw(*month_of(path, partition), file_format)
        if path[1] in _OF_MONTHS:
            return _OF_MONTHS[path[1]](*month_of(path, partition))
    return ZONES if list(path) == ["lake_zones"] else other_asset(path, partition)


def asset_of(key: str) -> tuple[str, str, Month] | None:
    """The inverse for an object of a month: ``("raw_trips", "green", month)``; else ``None``."""
    found = _OF_MONTH.fullmatch(key)
    if found is None:
        return None
    name = found["raw"] or found["staged"] or found["published"]
    asset = "raw_trips" if found["raw"] else "clean_trips" if found["staged"] else "lake_trips"
    text = found["raw_month"] or found["staged_month"] or f"{found['year']}-{found['month']}"
    try:
        return (asset, name, Month.parse(text)) if name in DATASETS else None
    except ValueError:  # month 13, by another program
        return None


def has_rejects(path: Sequence[str]) -> bool:
    """Whether ``path`` is an asset that stores a month's rejects with its trips."""
    return len(path) == 2 and path[0] in DATASETS and path[1] in ("clean_trips", "lake_trips")


def month_of(path: Sequence[str], partition: str) -> tuple[DatasetSpec, Month]:
    """The dataset and month of a partition of such an asset."""
    return DATASETS[path[0]], Month.parse(partition)


def _escaped(unsafe: re.Pattern[str], text: str) -> str:
    """``text`` with the bytes of ``unsafe`` characters as ``~`` and two hexadecimal digits."""

    def escape(match: re.Match[str]) -> str:
        return "".join(f"~{byte:02x}" for byte in match[0].encode("utf-8", "surrogatepass"))

    return unsafe.sub(escape, text)
