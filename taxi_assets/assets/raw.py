"""``raw_trips``: a month's file in the lake exactly as TLC publishes it.

The asset downloads the file unless the stored one is still current (HTTP's ``If-None-Match``). It
records no observation of TLC's own asset: Dagster records input versions before a step starts, so
an observation made in the step would mark the month as stale. The sensor that polls TLC records it
before it requests the run.
https://docs.dagster.io/guides/build/assets/metadata-and-tags/asset-observations
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from taxi_assets.assets import presentation
from taxi_assets.assets.common import Redo, declared, month_of, source_key
from taxi_assets.assets.resources import Previous, Scratch, TlcSource
from taxi_assets.cleaning import published_types
from taxi_assets.dagster_names import DATA_VERSION_TAG, USER_DATA_VERSION_TAG
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.failures import translated_errors
from taxi_assets.lake import attributes
from taxi_assets.lake.handles import LakeValue, NewFile, StoredFile
from taxi_assets.lake.store import NewObject
from taxi_assets.tlc import Download, Published, Unchanged
from taxi_assets.wording import counted

__all__ = ["observation", "raw_trips"]


def raw_trips(spec: DatasetSpec, kind: str) -> dg.AssetsDefinition:
    """The dataset's first asset; ``kind`` labels the format of the files in the UI."""

    @dg.asset(
        **declared(spec, "raw_trips"),
        description=f"{spec.title}: the month's file exactly as TLC publishes it, byte for byte.",
        deps=[source_key(spec)],
        kinds={kind},
        pool="tlc",
        code_version="1",
        io_manager_key="lake",
    )
    def raw(
        context: dg.AssetExecutionContext,
        config: Redo,
        tlc: TlcSource,
        scratch: Scratch,
        previous: Previous,
    ) -> dg.MaterializeResult[LakeValue]:
        with translated_errors(context):
            month = month_of(context)
            before = previous.file(context)
            etag = before.object.attributes.get(attributes.ETAG) if before else None

            def download() -> Download | Unchanged:
                with tlc.client() as client:
                    return client.download_month(
                        spec.name,
                        month,
                        scratch.folder,
                        parts=scratch.downloads,
                        known_etag=None if config.redo else etag,
                    )

            got = scratch.once(f"{spec.name} {month}", download, _files)
            if isinstance(got, Download):
                previous.require_origin(got.published.origin, f"{spec.name} {month}")
            value, sha256, columns, summary = _value(got, before)
        context.log.info(f"{spec.name} {month}: {summary}")
        return dg.MaterializeResult(
            value=value,
            data_version=dg.DataVersion(sha256[:16]),
            metadata={
                "download": summary,
                **presentation.published_schema(columns),
                **_source_metadata(got.published),
                **presentation.links(spec, got.published.url),
            },
        )

    return raw


def observation(spec: DatasetSpec, month: Month, published: Published) -> dg.AssetObservation:
    """An observation of TLC's own file, with the file's version as its data version."""
    return dg.AssetObservation(
        source_key(spec),
        partition=str(month),
        metadata={
            "file at TLC": dg.MetadataValue.url(published.url),
            **_source_metadata(published),
        },
        tags={DATA_VERSION_TAG: published.version, USER_DATA_VERSION_TAG: "true"},
    )


def _files(got: Download | Unchanged) -> list[Path]:
    return [got.path] if isinstance(got, Download) else []


def _value(
    download: Download | Unchanged, before: StoredFile | None
) -> tuple[LakeValue, str, str | None, str]:
    """The asset's value, its checksum and columns, and a summary for people."""
    if isinstance(download, Unchanged):
        assert before is not None
        columns = before.object.attributes.get(attributes.COLUMNS)
        return before, before.object.sha256, columns, "unchanged at TLC, not downloaded again"
    facts = _attributes(download.published, download.path)
    new = NewObject(download.path, download.sha256, download.rows, facts)
    value = NewFile(new, before.object if before else None)
    summary = f"downloaded {counted(download.size, 'byte')}"
    return value, download.sha256, facts[attributes.COLUMNS], summary


def _source_metadata(published: Published) -> dict[str, Any]:
    metadata: dict[str, Any] = {"etag": published.etag or "", "origin": str(published.origin)}
    if published.last_modified is not None:
        metadata["last_modified"] = dg.MetadataValue.timestamp(published.last_modified)
    return metadata


def _attributes(published: Published, path: Path) -> dict[str, str]:
    columns = published_types(path)
    facts = {
        attributes.ORIGIN: str(published.origin),
        attributes.SOURCE_URL: published.url,
        attributes.COLUMNS: json.dumps(columns),
    }
    if published.etag:
        facts[attributes.ETAG] = published.etag
    if published.last_modified:
        facts[attributes.LAST_MODIFIED] = published.last_modified.isoformat()
    return facts
