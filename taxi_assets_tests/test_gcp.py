"""Google Cloud credentials and project, and the errors without them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.auth import impersonated_credentials
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

from taxi_assets import gcp
from taxi_assets.errors import Misconfigured, StoreUnavailable, TaxiAssetsError
from taxi_assets.lake.gcs_errors import GCS
from taxi_assets.services import Service, named_errors
from taxi_assets.warehouse.bigquery_errors import BIGQUERY

VARIABLES = (
    "TAXI_GCP_IMPERSONATE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "STORAGE_EMULATOR_HOST",
    "BIGQUERY_EMULATOR_HOST",
)
WORKER = "worker@p.iam.gserviceaccount.com"


@pytest.fixture(autouse=True)
def no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Google credentials or settings."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.fixture
def user_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that ``gcloud auth application-default login`` writes."""
    user = {
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": "none",
        "refresh_token": "none",
        "quota_project_id": "quota",
    }
    path = tmp_path / "adc.json"
    path.write_text(json.dumps(user))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


@pytest.mark.parametrize("variable", ["STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST"])
def test_an_emulator_is_used_anonymously(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.setenv("TAXI_GCP_IMPERSONATE", WORKER)
    assert isinstance(gcp.credentials(), AnonymousCredentials)
    assert gcp.project() == "local"


@pytest.mark.usefixtures("user_file")
def test_the_credentials_file_in_the_environment_is_used() -> None:
    credentials = gcp.credentials()
    assert type(credentials).__module__ == "google.oauth2.credentials"


@pytest.mark.usefixtures("user_file")
def test_a_service_account_is_impersonated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXI_GCP_IMPERSONATE", WORKER)
    credentials = gcp.credentials()
    assert isinstance(credentials, impersonated_credentials.Credentials)
    assert credentials.service_account_email == WORKER


@pytest.mark.usefixtures("user_file")
def test_the_impersonated_account_must_be_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXI_GCP_IMPERSONATE", "worker")
    with pytest.raises(Misconfigured, match=r"iam\.gserviceaccount\.com"):
        gcp.credentials()


def test_the_error_for_missing_credentials_names_the_command() -> None:
    with pytest.raises(Misconfigured, match=r"gcloud auth application-default login"):
        gcp.credentials()


def test_the_error_for_a_missing_key_file_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(Misconfigured, match=r"key\.json"):
        gcp.credentials()


def test_the_project_in_the_environment_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "nyc")
    assert gcp.project() == "nyc"


def rejected_token(service: Service, error: GoogleAuthError) -> TaxiAssetsError:
    """The error raised when a request gets no token."""
    with (
        pytest.raises(TaxiAssetsError) as raised,
        named_errors(service, "Writing gs://lake/x", uri="gs://lake/x", bucket="lake"),
    ):
        raise error
    return raised.value


services = pytest.mark.parametrize("service", [GCS, BIGQUERY], ids=["GCS", "BigQuery"])


@services
def test_the_error_for_a_rejected_token_names_the_setting(service: Service) -> None:
    rejected = RefreshError("invalid_grant")  # type: ignore[no-untyped-call] # google.auth's own
    error = rejected_token(service, rejected)
    assert isinstance(error, Misconfigured)
    assert error.happened.startswith("Writing gs://lake/x failed")
    assert "invalid_grant" in error.happened
    assert "GOOGLE_APPLICATION_CREDENTIALS" in error.remedy


@services
def test_the_error_for_a_rejected_impersonation_names_the_role(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXI_GCP_IMPERSONATE", WORKER)
    rejected = RefreshError("Permission denied")  # type: ignore[no-untyped-call] # the same
    error = rejected_token(service, rejected)
    assert isinstance(error, Misconfigured)
    assert WORKER in error.happened
    assert "roles/iam.serviceAccountTokenCreator" in error.remedy


@services
@pytest.mark.parametrize("account", ["", WORKER])
def test_an_unavailable_token_service_is_transient(
    service: Service, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXI_GCP_IMPERSONATE", account)
    timed_out = TransportError("timed out")  # type: ignore[no-untyped-call] # the same
    busy = RefreshError("internal_failure", retryable=True)  # type: ignore[no-untyped-call] # the same
    assert isinstance(rejected_token(service, timed_out), StoreUnavailable)
    assert isinstance(rejected_token(service, busy), StoreUnavailable)
