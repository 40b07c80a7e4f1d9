"""Locate the file for a BigQuery load, in GCS or on local disk, and read its footer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import storage

from taxi_assets.errors import ConcurrentWrite
from taxi_assets.lake.store import sha256_of
from taxi_assets.warehouse.base import Source
from taxi_assets.warehouse.bigquery_errors import BIGQUERY
from taxi_assets.warehouse.bigquery_requests import REQUEST
from taxi_assets.warehouse.sources import footer_of, unreadable

__all__ = ["Located", "locate", "require_current"]

_FOOTER_READ = 1 << 18  # GCS requires a multiple of 256 KiB; a month's footer fits


@dataclass(frozen=True, slots=True)
class Located:
    """A file that BigQuery can load: an object (``path`` is ``None``) or a local file."""

    uri: str
    version: str
    sha256: str
    path: Path | None
    footer: pq.FileMetaData


def locate(source: Source, client: storage.Client) -> Located:
    """Locate the file and read its footer; an object in GCS is not downloaded.

    Raises ``ConcurrentWrite`` if the object has another version by now, because a load job reads
    the current one. Raises ``AuditFailed`` for a truncated file.
    """
    stored = source.stored
    if stored is not None and stored.uri.startswith("gs://"):
        footer = _remote_footer(client, stored.uri, stored.version)
        return Located(stored.uri, stored.version, stored.sha256, None, footer)
    path = source.path()
    sha256 = stored.sha256 if stored else sha256_of(path)
    return Located(stored.uri if stored else "", sha256, sha256, path, footer_of(path))


def require_current(located: Located, client: storage.Client) -> None:
    """Raise ``ConcurrentWrite`` if the object was replaced since: a job may have read either."""
    if located.path is None:
        _blob(client, located.uri, located.version)


def _remote_footer(client: storage.Client, uri: str, version: str) -> pq.FileMetaData:
    try:
        blob = _blob(client, uri, version)
        with blob.open("rb", chunk_size=_FOOTER_READ, **REQUEST) as file:
            return pq.read_metadata(file)
    except BIGQUERY.raises:  # of which those of a connection are OSErrors
        raise
    except (pa.ArrowException, OSError) as error:
        raise unreadable(uri, error) from error


def _blob(client: storage.Client, uri: str, version: str) -> storage.Blob:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    blob = client.bucket(bucket).get_blob(name, **REQUEST)
    if blob is None or str(blob.generation) != version:
        found = "nothing" if blob is None else f"generation {blob.generation}"
        raise ConcurrentWrite(
            f"{uri} should be generation {version}, but there is {found}: another run replaced or "
            "deleted it.",
            "Run the month again.",
        )
    return blob
