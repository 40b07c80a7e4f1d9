"""The account of each cloud is named, and no secret of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taxi_assets.probes import google_account
from taxi_assets.probes.identity import identity_probes
from taxi_assets.probes.probe import Group
from taxi_assets_tests.lake import canned
from taxi_assets_tests.lake.canned import Canned, Response
from taxi_assets_tests.probes.reports import Report, probed
from taxi_assets_tests.test_gcp import VARIABLES, WORKER

JSON = {"Content-Type": "application/json"}
TOKEN = json.dumps({"access_token": "hush", "expires_in": 3600, "token_type": "Bearer"})


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canned]:
    """Google's token and token information endpoints."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "nyc")
    with canned.running() as server:
        server.responses.append(Response("POST", "/oauth", 200, JSON, TOKEN))
        monkeypatch.setattr(google_account, "_TOKEN_INFO", f"{server.url}/tokeninfo")
        yield server


def credentials(folder: Path, monkeypatch: pytest.MonkeyPatch, **fields: str) -> None:
    path = folder / "credentials.json"
    path.write_text(json.dumps(fields))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


def user(folder: Path, monkeypatch: pytest.MonkeyPatch, server: Canned) -> None:
    """As ``gcloud auth application-default login`` writes it."""
    credentials(
        folder,
        monkeypatch,
        type="authorized_user",
        client_id="id",
        client_secret="hush",
        refresh_token="hush",
    )
    endpoint = f"{server.url}/oauth"
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", endpoint)


def named(lake: str, warehouse: str = "duckdb") -> Report:
    report = probed(Group(identity_probes(lake, warehouse)))
    assert "hush" not in str(report)
    return report


def test_a_user_is_named_by_google(
    google: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user(tmp_path, monkeypatch, google)
    answer = json.dumps({"email": "me@example.org"})
    google.responses.append(Response("POST", "/tokeninfo", 200, JSON, answer))
    report = named("gcs", "bigquery")
    assert report.texts == {"google: who am I": "user me@example.org; project nyc"}
    assert not any("hush" in request.path for request in google.requests)


def test_a_user_whom_google_does_not_name_is_no_fault(
    google: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user(tmp_path, monkeypatch, google)
    report = named("file", "bigquery")
    assert report.well
    assert "an account that it does not name" in report.texts["google: who am I"]


def test_credentials_that_were_revoked_are_named(
    google: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user(tmp_path, monkeypatch, google)
    google.responses[:] = [Response("POST", "/oauth", 400, JSON, '{"error": "invalid_grant"}')]
    text = named("gcs").failed["google: who am I"]
    assert "invalid_grant" in text
    assert "gcloud auth application-default login" in text


def test_an_impersonated_account_is_named(
    google: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user(tmp_path, monkeypatch, google)
    monkeypatch.setenv("TAXI_GCP_IMPERSONATE", WORKER)
    answer = json.dumps({"accessToken": "hush", "expireTime": "2999-01-01T00:00:00Z"})
    google.responses.append(Response("POST", "generateAccessToken", 200, JSON, answer))
    endpoint = f"{google.url}/v1/{{}}:generateAccessToken"
    monkeypatch.setattr("google.auth.iam._IAM_ENDPOINT", endpoint)
    text = named("gcs").texts["google: who am I"]
    assert text == (
        f"service account {WORKER}, which is impersonated (TAXI_GCP_IMPERSONATE); project nyc"
    )


def test_missing_credentials_are_named(google: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", "/nowhere")
    assert "gcloud auth application-default login" in named("gcs").failed["google: who am I"]


def test_an_emulator_knows_nobody(google: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    assert named("gcs").texts["google: who am I"].startswith("nobody, because an emulator is")


def test_the_role_of_aws_is_named(s3_emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_emulator.environment.items():
        monkeypatch.setenv(name, value)
    text = named("s3").texts["aws: who am I"]
    assert text == f"arn:aws:sts::123456789012:user/moto at {s3_emulator.url}"


def test_a_store_without_sts_is_no_fault(s3_emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_emulator.environment.items():
        monkeypatch.setenv(name, value)
    with canned.running() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        report = named("s3")
    assert report.well
    assert report.texts["aws: who am I"].startswith("unknown (ResponseParserError: sts:")


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=taxi;AccountKey=hush=="},
            "account taxi with its key, of AZURE_STORAGE_CONNECTION_STRING",
        ),
        (
            {
                "AZURE_STORAGE_CONNECTION_STRING": "BlobEndpoint=https://taxi.blob.core.windows.net;"
                "SharedAccessSignature=sv=1&sig=hush"
            },
            "account taxi.blob.core.windows.net with a shared access signature (SAS), of "
            "AZURE_STORAGE_CONNECTION_STRING",
        ),
        ({"AZURE_STORAGE_ACCOUNT": "taxi"}, "account taxi with DefaultAzureCredential"),
    ],
)
def test_the_account_of_azure_is_named(
    variables: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT"):
        monkeypatch.setenv(name, variables.get(name, ""))
    assert named("azure").texts["azure: who am I"] == text
