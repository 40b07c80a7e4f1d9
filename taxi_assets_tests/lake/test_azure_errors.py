"""Errors of Azure and how they are translated, and the settings of an Azure lake."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets.errors import ConcurrentWrite, Misconfigured, StoreUnavailable, TaxiAssetsError
from taxi_assets.lake.azure import AzureStore
from taxi_assets.lake.bucket import PART_SIZE
from taxi_assets_tests.lake import canned
from taxi_assets_tests.lake.canned import CUT, Canned, Response
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


@pytest.mark.parametrize("content", [b"content", bytes(9 << 20)], ids=["one request", "blocks"])
@pytest.mark.parametrize(
    ("status", "code"), [(409, "BlobAlreadyExists"), (400, "InvalidBlockList")]
)
def test_a_put_whose_answer_was_lost_is_this_run_s_own(
    azure: Canned, tmp_path: Path, content: bytes, status: int, code: str
) -> None:
    new = new_file(tmp_path, content, {"etag": "1"})
    last = "blocklist" if len(content) > PART_SIZE else KEY
    facts = {"x-ms-meta-facts": json.dumps(new.described()), "x-ms-blob-type": "BlockBlob"}
    azure.responses += [
        Response("HEAD", KEY, 404, {"x-ms-error-code": "BlobNotFound"}, times=1),
        Response("PUT", "comp=block&", 201),
        Response("PUT", last, CUT, times=1),
        Response("PUT", last, status, {"x-ms-error-code": code}),
        Response("HEAD", KEY, 200, {"ETag": '"v1"', **facts}),
    ]
    assert AzureStore("az://lake").put(new, KEY, replacing=None).version == '"v1"'


def test_blocks_that_others_removed_are_a_concurrent_write(azure: Canned, tmp_path: Path) -> None:
    azure.responses += [
        Response("HEAD", KEY, 404, {"x-ms-error-code": "BlobNotFound"}),
        Response("PUT", "comp=block&", 201),
        Response("PUT", "blocklist", 400, {"x-ms-error-code": "InvalidBlockList"}),
    ]
    with pytest.raises(ConcurrentWrite, match="parts were removed meanwhile"):
        AzureStore("az://lake").put(new_file(tmp_path, bytes(9 << 20)), KEY, replacing=None)


def test_a_checksum_that_azure_returns_wrongly_is_transient(azure: Canned, tmp_path: Path) -> None:
    azure.responses += [
        Response("HEAD", KEY, 404, {"x-ms-error-code": "BlobNotFound"}),
        Response("PUT", KEY, 201, {"ETag": '"v1"', "Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}),
    ]
    with pytest.raises(StoreUnavailable, match=r"MD5 mismatch.* Try later"):
        AzureStore("az://lake").put(new_file(tmp_path, b"content"), KEY, replacing=None)


@pytest.mark.parametrize(
    ("last", "kind"),
    [("success", None), ("failed", StoreUnavailable), ("silent", StoreUnavailable)],
)
def test_a_copy_is_awaited_while_azure_answers(
    azure: Canned, monkeypatch: pytest.MonkeyPatch, last: str, kind: type[TaxiAssetsError] | None
) -> None:
    monkeypatch.setattr("taxi_assets.lake.azure.time.sleep", lambda seconds: None)
    found = {"ETag": '"v1"', "x-ms-blob-type": "BlockBlob", "x-ms-meta-facts": '{"sha256": "00"}'}
    pending = {"x-ms-copy-id": "c", "x-ms-copy-status": "pending", "x-ms-copy-source": azure.url}
    ended = {**pending, "x-ms-copy-status": last}
    azure.responses += [
        Response("HEAD", KEY, 200, found),
        Response("HEAD", "to", 404, {"x-ms-error-code": "BlobNotFound"}, times=1),
        Response("PUT", "to", 202, {**pending, "ETag": '"v2"'}),
        Response("HEAD", "to", 200, {**found, **pending}, times=700),
        Response(
            "HEAD", "to", 503 if last == "silent" else 200, {**found, **ended, "ETag": '"v3"'}
        ),
    ]
    store = AzureStore("az://lake")
    source = store.get(KEY, remedy="")
    if kind is None:
        assert store.copy(source, "to", replacing=None).version == '"v3"'
        return
    with pytest.raises(kind, match="Try later"):
        store.copy(source, "to", replacing=None)


def test_a_missing_login_is_permanent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING", raising=False)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "account")
    monkeypatch.setenv("PATH", "")
    # Of the credentials that DefaultAzureCredential tries, the one that sends no request.
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Misconfigured, match=r"Run `az login`"):
        AzureStore("az://lake").find(KEY)


def test_a_token_endpoint_that_is_down_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING", raising=False)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "account")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(StoreUnavailable, match=r"Connection refused.* Try later"):
        AzureStore("az://lake").find(KEY)


@pytest.mark.parametrize("key", ["notbase64!!", "abc"])
def test_a_malformed_account_key_is_permanent(
    azure: Canned, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = f"AccountName=account;AccountKey={key};BlobEndpoint={azure.url}/account"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", endpoint)
    with pytest.raises(Misconfigured, match="correct the account key"):
        AzureStore("az://lake").find(KEY)


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
