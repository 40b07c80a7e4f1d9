"""The remote stores at an address on loopback, with a server that may be silent for a moment."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from taxi_assets.lake import azure, gcs, s3
from taxi_assets.lake.store import LakeStore

SILENCE = 0.2


def _gcs(url: str, patch: pytest.MonkeyPatch) -> LakeStore:
    patch.setitem(gcs.REQUEST, "timeout", (SILENCE, SILENCE))
    client = storage.Client(
        project="local",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call] # Google's own
        client_options={"api_endpoint": url},
    )
    return gcs.GcsStore("gs://lake", client)


def _s3(url: str, patch: pytest.MonkeyPatch) -> LakeStore:
    patch.setattr(s3, "SILENCE_SECONDS", SILENCE)
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        patch.setenv(name, value)
    return s3.S3Store("s3://lake")


def _azure(url: str, patch: pytest.MonkeyPatch) -> LakeStore:
    patch.setattr(azure, "SILENCE_SECONDS", SILENCE)
    key = base64.b64encode(bytes(64)).decode()
    account = f"AccountName=account;AccountKey={key};BlobEndpoint={url}/account"
    patch.setenv("AZURE_STORAGE_CONNECTION_STRING", account)
    return azure.AzureStore("az://lake")


Opened = Callable[[str, pytest.MonkeyPatch], LakeStore]
each_store = pytest.mark.parametrize("opened", [_gcs, _s3, _azure])
