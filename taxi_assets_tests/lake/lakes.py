"""Empty lakes of each kind, in a folder or on an emulator, and objects written without the lake."""

from __future__ import annotations

import os
import uuid
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from azure.storage.blob import BlobServiceClient
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

KINDS = ("local", "gcs", "s3", "azure")


def fresh_lake(
    kind: str, folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The URL of an empty lake; sets the environment for it until the test ends."""
    if kind == "local":
        return folder.as_uri()
    environment = request.getfixturevalue(f"{kind}_emulator").environment
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    bucket, scheme = bucket_of(kind), {"gcs": "gs", "s3": "s3", "azure": "az"}[kind]
    return f"{scheme}://{bucket}/{uuid.uuid4().hex[:12]}/prefix"


def bucket_of(kind: str) -> str:
    """The bucket or container of all tests, on the emulator in the environment."""
    return _BUCKETS[kind]()


@cache  # one for all tests: each has its own prefix
def _gcs_bucket() -> str:
    name = f"lake-{uuid.uuid4().hex[:12]}"
    _gcs_client().create_bucket(name)
    return name


@cache
def _s3_bucket() -> str:
    name = f"lake-{uuid.uuid4().hex[:12]}"
    _s3_client().create_bucket(Bucket=name)
    return name


@cache
def _azure_container() -> str:
    name = f"lake-{uuid.uuid4().hex[:12]}"
    _azure_client().create_container(name)
    return name


_BUCKETS = {"gcs": _gcs_bucket, "s3": _s3_bucket, "azure": _azure_container}


def _gcs_client() -> storage.Client:
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call] # Google's own
    return storage.Client(project="local", credentials=anonymous)


def _s3_client() -> Any:
    return boto3.Session().client("s3")


def _azure_client() -> BlobServiceClient:
    return BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])


def put_by_hand(url: str, key: str, content: bytes) -> None:
    """Write an object as another program would, without attributes."""
    parts = urlsplit(f"{url}/{key}")
    bucket, name = parts.netloc, parts.path.removeprefix("/")
    if parts.scheme == "file":
        path = Path(parts.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    elif parts.scheme == "gs":
        _gcs_client().bucket(bucket).blob(name).upload_from_string(content)
    elif parts.scheme == "s3":
        _s3_client().put_object(Bucket=bucket, Key=name, Body=content)
    else:
        _azure_client().get_blob_client(bucket, name).upload_blob(content, overwrite=True)


def keys_by_hand(url: str) -> list[str]:
    """Every object in the lake, as another program lists them; of a folder, every file in it."""
    parts = urlsplit(f"{url}/")
    bucket, prefix = parts.netloc, parts.path.removeprefix("/")
    if parts.scheme == "file":
        root = Path(parts.path)
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    if parts.scheme == "gs":
        names = [blob.name for blob in _gcs_client().list_blobs(bucket, prefix=prefix)]
    elif parts.scheme == "s3":
        listed = _s3_client().list_objects_v2(Bucket=bucket, Prefix=prefix)
        names = [each["Key"] for each in listed.get("Contents", [])]
    else:
        container = _azure_client().get_container_client(bucket)
        names = [blob.name for blob in container.list_blobs(name_starts_with=prefix)]
    return sorted(name.removeprefix(prefix) for name in names)
