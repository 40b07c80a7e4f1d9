"""The lake on Google Cloud Storage. Its error rules are in ``gcs_errors``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from google.api_core.exceptions import NotFound
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption
from typing_extensions import override

from taxi_assets.errors import TaxiAssetsError
from taxi_assets.google_retries import TIMEOUT, GoogleRetry
from taxi_assets.lake.bucket import PART_SIZE, BucketStore
from taxi_assets.lake.gcs_errors import GCS, NO_BUCKET, RESTART
from taxi_assets.lake.objects import Found
from taxi_assets.lake.store import NewObject
from taxi_assets.retry_policy import Attempts
from taxi_assets.services import ErrorDetails, cause_shown

__all__ = ["GcsStore"]

_NO_GENERATION = 0  # of an object that does not exist


def _sent_again(error: Exception) -> bool:
    """Not after a damaged download: the client would ask for the bytes after its last one. Nor to
    a lost session: ``_upload`` begins another.
    """
    if isinstance(error, DataCorruption) or not GCS.is_transient(error):
        return False
    return RESTART not in GCS.details(error).codes


REQUEST: Final[dict[str, Any]] = {"retry": GoogleRetry(predicate=_sent_again), "timeout": TIMEOUT}


class GcsStore(BucketStore):
    """Objects in the bucket of ``gs://bucket/prefix``; a version is a generation.

    Uploads are resumable, in parts. GCS verifies the content's CRC32C before the object appears,
    and generation preconditions reject all but one of several concurrent writers. The account
    needs no role on the project; those on the bucket are in ``taxi_assets.grants``.
    """

    service = GCS
    metadata_limit = 8 << 10

    def __init__(self, url: str, client: storage.Client) -> None:
        super().__init__(url)
        self._client = client
        self._bucket = client.bucket(self.bucket_name)

    @override
    def _describe(self, name: str) -> Found:
        blob = self._bucket.blob(name)
        blob.reload(**REQUEST)
        return Found(int(blob.size), str(blob.generation), blob.metadata or {})

    @override
    def _upload(self, new: NewObject, name: str, expected: str | None) -> str:
        attempts = Attempts()
        while True:
            try:
                return self._sent(new, name, expected)
            except GCS.raises as error:
                if not (RESTART in GCS.details(error).codes and attempts.again()):
                    raise

    def _sent(self, new: NewObject, name: str, expected: str | None) -> str:
        blob = self._bucket.blob(name, chunk_size=PART_SIZE)
        blob.metadata = self._accepted(new.described(), name)
        try:
            blob.upload_from_filename(
                str(new.path),
                content_type="application/octet-stream",
                if_generation_match=int(expected or _NO_GENERATION),
                checksum="crc32c",
                **REQUEST,
            )
        except NotFound as error:  # on a write, only the bucket or the session can be missing
            if RESTART in GCS.details(error).codes:
                raise
            raise self._no_bucket(error) from cause_shown(error)
        return str(blob.generation)

    @override
    def _duplicate(
        self,
        source: str,
        version: str,
        name: str,
        expected: str | None,
        facts: Mapping[str, str],
    ) -> str:
        original, blob = self._bucket.blob(source), self._bucket.blob(name)
        blob.metadata = self._accepted(facts, name)
        token: str | None = None
        while True:  # a call copies at least 1 MiB; within a location, the whole object
            token, _, _ = blob.rewrite(
                original,
                token=token,
                if_generation_match=int(expected or _NO_GENERATION),
                if_source_generation_match=int(version),
                **REQUEST,
            )
            if token is None:
                return str(blob.generation)

    @override
    def _download(self, name: str, version: str, path: Path) -> None:
        self._bucket.blob(name).download_to_filename(
            str(path), if_generation_match=int(version), checksum="crc32c", **REQUEST
        )

    @override
    def _names(self, prefix: str) -> Iterator[str]:
        try:
            listed = self._client.list_blobs(
                self.bucket_name, prefix=prefix, fields="items(name),nextPageToken", **REQUEST
            )
            for blob in listed:
                yield str(blob.name)
        except NotFound as error:
            raise self._no_bucket(error) from cause_shown(error)

    @override
    def _remove(self, name: str) -> None:
        self._bucket.blob(name).delete(**REQUEST)

    def _no_bucket(self, error: NotFound) -> TaxiAssetsError:
        details = ErrorDetails(error.message, {NO_BUCKET})
        return GCS.error(details, f"Opening {self.url}", bucket=self.bucket_name)
