"""The lake on Azure Blob Storage. Its error rules are in ``azure_errors``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobClient, BlobServiceClient
from typing_extensions import override

from taxi_assets.errors import Misconfigured, StoreUnavailable
from taxi_assets.lake.azure_errors import AZURE, is_transient_answer
from taxi_assets.lake.bucket import PART_SIZE, PARTS_AT_ONCE, BucketStore
from taxi_assets.lake.objects import Found, from_header, to_header
from taxi_assets.lake.store import NewObject
from taxi_assets.retry_policy import (
    CONNECT_SECONDS,
    SILENCE_SECONDS,
    Attempts,
    retry_after_seconds,
)
from taxi_assets.services import TRY_LATER

__all__ = ["AzureStore"]


class _Transport(RequestsTransport):  # type: ignore[misc] # azure.core loads it on demand
    """The client's transport, which sends a request again by ``retry_policy``.

    Below the client's own retries, which know no 429, no ``Retry-After`` and no deadline.
    """

    @override
    def send(self, request: Any, **kwargs: Any) -> Any:
        attempts, body = Attempts(), request.data
        begin = body.tell() if hasattr(body, "tell") else None
        while True:
            try:
                response = super().send(request, **kwargs)
                if not is_transient_answer(response.status_code, response.headers):
                    return response
                wish = retry_after_seconds(response.headers.get("Retry-After"))
                if not attempts.again(wish):
                    return response
            except AzureError as error:
                if not (AZURE.is_transient(error) and attempts.again()):
                    raise
            if begin is not None:
                body.seek(begin)


class AzureStore(BucketStore):
    """Blobs in the container of ``az://container/prefix``; a version is an ETag.

    The account comes from ``AZURE_STORAGE_CONNECTION_STRING`` (with its key or SAS), or from
    ``AZURE_STORAGE_ACCOUNT`` with the credentials of ``DefaultAzureCredential``: a workload or
    managed identity, ``AZURE_CLIENT_*``, or ``az login``. Files are uploaded in blocks, each with
    its MD5; the blob appears when the block list is committed. ETag conditions reject all but one
    of several concurrent writers.
    """

    service = AZURE
    metadata_limit = 8 << 10

    def __init__(self, url: str) -> None:
        super().__init__(url)
        with self._named_errors("Opening", url):
            self._container = _service().get_container_client(self.bucket_name)

    @override
    def _describe(self, name: str) -> Found:
        properties = self._container.get_blob_client(name).get_blob_properties()
        return Found(properties.size, str(properties.etag), from_header(properties.metadata))

    @override
    def _upload(self, new: NewObject, name: str, expected: str | None) -> str:
        with new.path.open("rb") as file:
            answer = self._container.get_blob_client(name).upload_blob(
                file,
                length=new.path.stat().st_size,
                metadata=self._accepted(to_header(new.described()), name),
                validate_content=True,
                max_concurrency=PARTS_AT_ONCE,
                overwrite=expected is not None,
                **_if(expected),
            )
        return str(answer["etag"])

    @override
    def _duplicate(
        self,
        source: str,
        version: str,
        name: str,
        expected: str | None,
        facts: Mapping[str, str],
    ) -> str:
        blob = self._container.get_blob_client(name)
        answer = blob.start_copy_from_url(
            self._container.get_blob_client(source).url,
            metadata=self._accepted(to_header(facts), name),
            source_etag=version,
            source_match_condition=MatchConditions.IfNotModified,
            **(_if(expected) or {"match_condition": MatchConditions.IfMissing}),
        )
        if answer["copy_status"] == "success":
            return str(answer["etag"])
        return _finished_copy(blob)

    @override
    def _download(self, name: str, version: str, path: Path) -> None:
        blob = self._container.get_blob_client(name)
        stream = blob.download_blob(max_concurrency=PARTS_AT_ONCE, **_if(version))
        with path.open("wb") as file:
            stream.readinto(file)

    @override
    def _names(self, prefix: str) -> Iterator[str]:
        for blob in self._container.list_blobs(name_starts_with=prefix, include=["metadata"]):
            # Accounts with a hierarchical namespace also list directories.
            if not (blob.metadata or {}).get("hdi_isfolder"):
                yield str(blob.name)

    @override
    def _remove(self, name: str) -> None:
        self._container.get_blob_client(name).delete_blob()


def _service() -> BlobServiceClient:
    timeouts: dict[str, Any] = {
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": SILENCE_SECONDS,
    }
    options: dict[str, Any] = {
        "max_single_put_size": PART_SIZE,
        "max_block_size": PART_SIZE,
        "transport": _Transport(**timeouts),
        "retry_total": 0,
    }
    connection = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
    if connection:
        return BlobServiceClient.from_connection_string(connection, **options)
    account = os.environ.get("AZURE_STORAGE_ACCOUNT")
    if not account:
        raise Misconfigured(
            "The az:// lake has no storage account.",
            "Set AZURE_STORAGE_ACCOUNT, the storage account's name, or "
            "AZURE_STORAGE_CONNECTION_STRING.",
        )
    login = DefaultAzureCredential(**timeouts, retry_total=1)
    return BlobServiceClient(f"https://{account}.blob.core.windows.net", login, **options)


def _if(expected: str | None) -> dict[str, Any]:
    if expected is None:
        return {}  # upload_blob(overwrite=False) sends the condition
    return {"etag": expected, "match_condition": MatchConditions.IfNotModified}


def _finished_copy(blob: BlobClient) -> str:
    """The version once Azure has copied; within an account, that is usually at once."""
    while (properties := blob.get_blob_properties()).copy.status == "pending":
        time.sleep(1)
    if properties.copy.status != "success":
        raise StoreUnavailable(
            f"Azure's copy to {blob.blob_name} ended with status {properties.copy.status} "
            f"({properties.copy.status_description}).",
            TRY_LATER,
        )
    return str(properties.etag)
