"""Errors of Azure and how they are translated, and the settings of an Azure lake."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets.errors import ConcurrentWrite, Misconfigured, StoreUnavailable, TaxiAssetsError
from taxi_assets.lake.azure import AzureStore
from taxi_assets_tests.lake import canned
from taxi_assets_tests.lake.canned import Canned, Response
from taxi_assets_tests.lake.files import new_file

KEY = "trips/trips.parquet"


def connection(url: str) -> str:
    key = base64.b64encode(bytes(64)).decode()
    return f"AccountName=account;AccountKey={key};BlobEndpoint={url}/account"


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canned]:
    with canned.running() as azure:
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(azure.url))
        yield azure


@pytest.mark.parametrize(
    ("status", "code", "kind", "remedy"),
    [
        (412, "ConditionNotMet", ConcurrentWrite, "another run"),
        (409, "BlobAlreadyExists", ConcurrentWrite, "another run"),
        (404, "ContainerNotFound", Misconfigured, "az storage container create --name lake"),
        (403, "AuthorizationPermissionMismatch", Misconfigured, "Storage Blob Data Contributor"),
        (401, "InvalidAuthenticationInfo", Misconfigured, "Correct the credentials"),
        (400, "Md5Mismatch", StoreUnavailable, "Try later"),
        (400, "InvalidHeaderValue", Misconfigured, "InvalidHeaderValue.*AZURE_STORAGE_ACCOUNT"),
    ],
)
def test_an_error_response_has_a_remedy(
    azure: Canned, tmp_path: Path, status: int, code: str, kind: type[TaxiAssetsError], remedy: str
) -> None:
    azure.responses.append(Response("HEAD", KEY, 404, {"x-ms-error-code": "BlobNotFound"}))
    azure.responses.append(Response("PUT", KEY, status, {"x-ms-error-code": code}))
    with pytest.raises(kind, match=remedy) as raised:
        AzureStore("az://lake").put(new_file(tmp_path, b"content"), KEY, replacing=None)
    assert f"az://lake/{KEY}" in str(raised.value) or code == "ContainerNotFound"


def test_an_error_after_all_retries_is_transient(azure: Canned) -> None:
    azure.responses.append(Response("HEAD", KEY, 503, {"x-ms-error-code": "ServerBusy"}))
    with pytest.raises(StoreUnavailable, match=r"ServerBusy.* Try later"):
        AzureStore("az://lake").find(KEY)
    assert len(azure.requests) > 1


def test_an_interrupted_download_is_transient(azure: Canned, tmp_path: Path) -> None:
    found = {
        "ETag": '"v1"',
        "Content-Length": "7",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-meta-facts": '{"sha256": "00"}',
    }
    cut = {**found, "Content-Range": "bytes 0-6/7", "Connection": "close"}
    azure.responses += [Response("HEAD", KEY, 200, found), Response("GET", KEY, 206, cut, "cut")]
    store = AzureStore("az://lake")
    with pytest.raises(StoreUnavailable, match=r"IncompleteRead.* Try later"):
        store.fetch(store.get(KEY, remedy=""), tmp_path / "fetched")
    assert list((tmp_path / "fetched").iterdir()) == []


def test_a_refused_connection_is_transient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(url))
    with pytest.raises(StoreUnavailable, match=r"Connection refused.* Try later"):
        AzureStore("az://lake").find(KEY)


def test_an_account_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING", raising=False)
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT", raising=False)
    with pytest.raises(Misconfigured, match=r"AZURE_STORAGE_ACCOUNT.*AZURE_STORAGE_CONNECTION"):
        AzureStore("az://lake")


def test_a_malformed_connection_string_is_misconfigured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "nonsense")
    with pytest.raises(Misconfigured, match=r"malformed.*AZURE_STORAGE_CONNECTION_STRING"):
        AzureStore("az://lake")
