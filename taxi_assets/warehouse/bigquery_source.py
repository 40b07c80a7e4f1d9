"""The file a BigQuery load reads, in GCS or local, and its footer before it is loaded.

Belongs here: finding where the rows are and what the footer says. Does not: loading.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import storage

from taxi_assets.errors import ConcurrentWrite
from taxi_assets.lake.store import sha256_of
from taxi_assets.warehouse.base import Source
from taxi_assets.warehouse.sources import footer_of, unreadable

_FOOTER_READ = 1 << 18  # GCS wants a multiple of 256 KiB; a month's footer fits in one


@dataclass(frozen=True, slots=True)
class Located:
    """A source that BigQuery can load: an object (``path`` is None) or a local file."""

    uri: str
    version: str
    sha256: str
    path: Path | None
    footer: pq.FileMetaData


def locate(source: Source, client: storage.Client) -> Located:
    """Where the rows are; of an object in GCS only the footer is read, in place.

    Raises ``ConcurrentWrite`` when the object is no longer the version named: a load job takes
    whatever lies under the name. Raises ``AuditFailed`` for a file that is cut.
    """
    stored = source.stored
    if stored is not None and stored.uri.startswith("gs://"):
        footer = _remote_footer(client, stored.uri, stored.version)
        return Located(stored.uri, stored.version, stored.sha256, None, footer)
    path = source.path()
    sha256 = stored.sha256 if stored else sha256_of(path)
    return Located(stored.uri if stored else "", sha256, sha256, path, footer_of(path))


def _remote_footer(client: storage.Client, uri: str, version: str) -> pq.FileMetaData:
    try:
        blob = _blob(client, uri, version)
        with blob.open("rb", chunk_size=_FOOTER_READ) as file:
            return pq.read_metadata(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise unreadable(uri, error) from error


def _blob(client: storage.Client, uri: str, version: str) -> storage.Blob:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    blob = client.bucket(bucket).get_blob(name)
    if blob is None or str(blob.generation) != version:
        found = "nothing" if blob is None else f"generation {blob.generation}"
        raise ConcurrentWrite(
            f"{uri} should be generation {version}, but there is {found}: another run has replaced "
            "or removed it since. Nothing was loaded.",
            "Run the month again.",
        )
    return blob
