"""``raw_trips``: a month's file in the lake exactly as TLC publishes it.

Belongs here: fetching one month and keeping what TLC said of it. Does not: HTTP (``tlc``), what
is in the file (``cleaning``).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
from pydantic import Field

from taxi_assets.assets import checks, presentation
from taxi_assets.assets.common import declared, source_key
from taxi_assets.assets.months import Landed, each_month
from taxi_assets.assets.resources import Limits, TlcSource
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.lake import keys
from taxi_assets.lake.io_manager import LakeIOManager, object_metadata
from taxi_assets.lake.store import LakeObject, NewObject
from taxi_assets.tlc import Published, TlcClient, Unchanged

_VERSION = "1"

# Attribute of every object of a month: the address of the file it was made from.
SOURCE_URL = "source_url"

# Attribute of a raw object: its columns and their types, so that nobody downloads it to know them.
_COLUMNS = "columns"


class RawConfig(dg.Config):
    """How a month is fetched."""

    download_again: bool = Field(
        default=False,
        description="Download although TLC still publishes the version the lake already has.",
    )


def raw_trips(spec: DatasetSpec) -> dg.AssetsDefinition:
    """The dataset's first asset."""

    @dg.asset(
        **declared(spec, "raw_trips", checks.RAW_CHECKS),
        description=f"{spec.title}: the month's file exactly as TLC publishes it, byte for byte.",
        deps=[source_key(spec)],
        kinds={"parquet"},
        pool="tlc",
        code_version=_VERSION,
        io_manager_key="lake",
    )
    def raw(
        context: dg.AssetExecutionContext,
        config: RawConfig,
        tlc: TlcSource,
        limits: Limits,
        lake: dg.ResourceParam[LakeIOManager],
    ) -> Iterator[Any]:
        def make(month: Month) -> Landed:
            with tlc.client() as client:
                stored, published, says = _fetch(
                    client, lake, spec, month, again=config.download_again
                )
            context.log.info(f"{spec.name} {month}: {says}, {stored.size:,} bytes")
            return _landed(spec, month, stored, published, says, limits)

        yield from each_month(context, make, code_version=_VERSION)

    return raw


def data_version(stored: LakeObject) -> str:
    """TLC's ETag: what the source is observed with, so that a reissue shows as new upstream."""
    return stored.attributes.get("etag") or stored.sha256


def _fetch(
    client: TlcClient, lake: LakeIOManager, spec: DatasetSpec, month: Month, *, again: bool
) -> tuple[LakeObject, Published, str]:
    key = keys.raw(spec, month)
    known = lake.store.find(key)
    etag = None if known is None or again else known.attributes.get("etag")
    got = client.download_month(spec.name, month, lake.downloads, known_etag=etag)
    if isinstance(got, Unchanged):
        assert known is not None
        return known, got.published, "unchanged at TLC, not downloaded again"
    path = got.path.replace(lake.folder / got.path.name)
    new = NewObject(path, got.sha256, got.rows, _attributes(got.published, path))
    return lake.put(new, key, replacing=known), got.published, "downloaded"


def _landed(
    spec: DatasetSpec,
    month: Month,
    stored: LakeObject,
    published: Published,
    says: str,
    limits: Limits,
) -> Landed:
    assert stored.rows is not None
    version = data_version(stored)
    return Landed(
        data_version=version,
        inputs={source_key(spec): version},
        observed=[observation(spec, month, published, version)],
        outcomes=[checks.published_rows(spec, month, stored.rows, limits.trusted_counts)],
        metadata={
            **object_metadata(stored),
            "download": says,
            **presentation.published_schema(stored.attributes.get(_COLUMNS)),
            **_source_metadata(published),
            **presentation.links(spec, published.url),
        },
    )


def observation(
    spec: DatasetSpec, month: Month, published: Published, version: str
) -> dg.AssetObservation:
    """What the UI records of TLC's own file."""
    return dg.AssetObservation(
        source_key(spec),
        partition=str(month),
        metadata={
            "file at TLC": dg.MetadataValue.url(published.url),
            **_source_metadata(published),
        },
        tags={"dagster/data_version": version, "dagster/data_version_is_user_provided": "true"},
    )


def _source_metadata(published: Published) -> dict[str, Any]:
    metadata: dict[str, Any] = {"etag": published.etag or "none"}
    if published.last_modified is not None:
        metadata["last_modified"] = dg.MetadataValue.timestamp(published.last_modified)
    return metadata


def _attributes(published: Published, path: Path) -> dict[str, str]:
    columns = {field.name: str(field.type) for field in pq.read_schema(path)}
    attributes = {SOURCE_URL: published.url, _COLUMNS: json.dumps(columns)}
    if published.etag:
        attributes["etag"] = published.etag
    if published.last_modified:
        attributes["last_modified"] = published.last_modified.isoformat()
    return attributes
