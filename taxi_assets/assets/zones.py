"""``lake_zones`` and ``taxi_zones``: the zones that pickup and dropoff zone ids refer to.

Both are small and unpartitioned, and are always replaced as a whole. TLC's files are downloaded
only if one of them has changed (HTTP's ``If-None-Match``), so that materializing them is a refresh.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.assets.common import OWNER, TRIPS_PAGE, Redo
from taxi_assets.assets.resources import Previous, Scratch, TlcSource
from taxi_assets.datasets import TAXI_ZONE_COLUMNS, ZONE_FILES, ZONES_VERSION
from taxi_assets.datasets.stored import documentation
from taxi_assets.failures import translated_errors
from taxi_assets.lake import attributes
from taxi_assets.lake.handles import LakeValue, NewFile, StoredFile
from taxi_assets.lake.io_manager import finished
from taxi_assets.lake.store import NewObject
from taxi_assets.tlc import Download, TlcClient, Unchanged

__all__ = ["LAKE_ZONES", "TAXI_ZONES", "lake_zones", "taxi_zones"]

LAKE_ZONES, TAXI_ZONES = dg.AssetKey("lake_zones"), dg.AssetKey("taxi_zones")

_SHARED: dict[str, Any] = {
    "group_name": "zones",
    "owners": [OWNER],
    "code_version": ZONES_VERSION,
    "metadata": {
        "TLC's page": dg.MetadataValue.url(TRIPS_PAGE),
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(column.name, str(column.type), documentation(column))
                for column in TAXI_ZONE_COLUMNS
            ]
        ),
    },
}


def lake_zones(kind: str) -> dg.AssetsDefinition:
    """TLC's two zone files as one Parquet object; ``kind`` labels the store in the UI."""

    @dg.asset(
        **_SHARED,
        key=LAKE_ZONES,
        description="TLC's 265 taxi zones: names from the lookup, outlines from the shapefile.",
        kinds={kind, "parquet"},
        pool="tlc",
        io_manager_key="lake",
    )
    def zones(
        context: dg.AssetExecutionContext,
        config: Redo,
        tlc: TlcSource,
        scratch: Scratch,
        previous: Previous,
    ) -> dg.MaterializeResult[LakeValue]:
        with translated_errors(context):
            before = previous.file(context)
            with tlc.client() as client:
                files = _downloaded(client, {} if config.redo else _etags(before), scratch)
            if files is None:
                assert before is not None
                facts = before.object.attributes
                return _result(before, facts, "unchanged at TLC, not downloaded again")
            new = _read(files, previous, scratch)
        value = NewFile(new, before.object if before else None)
        return _result(value, new.attributes, "downloaded")

    return zones


def taxi_zones(kind: str) -> dg.AssetsDefinition:
    """The zones as a table; ``kind`` labels the engine in the UI."""

    @dg.asset(
        **_SHARED,
        key=TAXI_ZONES,
        description="The taxi zones as a table: join it on pickup_zone_id or dropoff_zone_id.",
        ins={"zones": dg.AssetIn(LAKE_ZONES)},
        kinds={kind, "table"},
        pool="warehouse",
        io_manager_key="warehouse",
    )
    def table(zones: pa.Table) -> pa.Table:
        return zones

    return table


def _etags(stored: StoredFile | None) -> dict[str, str]:
    """The ETags of the files that ``stored`` was made from, if by this code."""
    facts = stored.object.attributes if stored else {}
    if not facts.get(attributes.VERSION, "").startswith(f"{ZONES_VERSION}-"):
        return {}
    etags: dict[str, str] = json.loads(facts.get(attributes.ETAGS, "{}"))
    return etags


def _downloaded(
    client: TlcClient, known: Mapping[str, str], scratch: Scratch
) -> list[Download] | None:
    """The published files; ``None`` if all of them still have the ETags ``known``."""
    got = {
        path: client.download_file(path, scratch.folder, known_etag=known.get(path))
        for path in ZONE_FILES
    }
    if all(isinstance(each, Unchanged) for each in got.values()):
        return None
    files = []
    for path, each in got.items():
        file = client.download_file(path, scratch.folder) if isinstance(each, Unchanged) else each
        assert isinstance(file, Download)
        files.append(file)
    return files


def _read(files: Sequence[Download], previous: Previous, scratch: Scratch) -> NewObject:
    """The published files as a Parquet file, with what it was made from."""
    from taxi_assets.cleaning.zones import read_zones  # noqa: PLC0415 - slow to import

    lookup, shapes = files
    origin = lookup.published.origin
    previous.require_origin(origin, "The file of the taxi zones")
    path = scratch.folder / "taxi_zones.parquet"
    # Not ``write_parquet``, which leaves out the metadata of GeoParquet.
    pq.write_table(read_zones(lookup.path, shapes.path), path, compression="zstd")
    content = hashlib.sha256(f"{lookup.sha256} {shapes.sha256}".encode()).hexdigest()
    etags = {
        name: file.published.etag
        for name, file in zip(ZONE_FILES, files, strict=True)
        if file.published.etag
    }
    return finished(
        path,
        {
            attributes.ORIGIN: str(origin),
            attributes.ETAGS: json.dumps(etags),
            attributes.VERSION: f"{ZONES_VERSION}-{content[:16]}",
        },
    )


def _result(
    value: NewFile | StoredFile, facts: Mapping[str, str], download: str
) -> dg.MaterializeResult[LakeValue]:
    return dg.MaterializeResult(
        value=value,
        data_version=dg.DataVersion(facts[attributes.VERSION]),
        metadata={
            "download": download,
            "etags": dg.MetadataValue.json(json.loads(facts[attributes.ETAGS])),
            "origin": facts[attributes.ORIGIN],
        },
    )
