"""Google Cloud credentials, project and errors, shared by the GCS lake and BigQuery.

``lake.gcs_errors`` and ``warehouse.bigquery_errors`` extend the error rules with their own codes
and roles.

    TAXI_GCP_IMPERSONATE              act as this service account, with the credentials below
    GOOGLE_APPLICATION_CREDENTIALS    a key file or a Workload Identity Federation file
    GOOGLE_CLOUD_PROJECT              the project that requests are made for
    STORAGE_EMULATOR_HOST, BIGQUERY_EMULATOR_HOST    local emulators, which need no credentials

Without a key file, the application default credentials are used: on a laptop those of ``gcloud auth
application-default login``, on Google Cloud those of the attached service account.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import google.auth
import requests
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth import impersonated_credentials
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError

from taxi_assets.addresses import text_shown
from taxi_assets.errors import Misconfigured
from taxi_assets.services import ErrorDetails, Rule, cause_shown, http_codes, transient

__all__ = ["GOOGLE_ERRORS", "GOOGLE_RULES", "credentials", "google_error_details", "project"]

GOOGLE_ERRORS = (GoogleAPICallError, RetryError, GoogleAuthError)
"""The exceptions of all Google clients."""

GOOGLE_RULES = (
    transient(RetryError, TransportError, "retryable"),
    Rule(
        {"impersonated"},
        "Grant roles/iam.serviceAccountTokenCreator on that service account to the account that "
        "runs this, and enable the API iamcredentials.googleapis.com in its project.",
    ),
    Rule(
        {GoogleAuthError},
        "Run `gcloud auth application-default login`, or renew GOOGLE_APPLICATION_CREDENTIALS.",
    ),
)
"""The first rules of every Google service: no response, or no token."""

_EMULATORS = ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST")
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def credentials() -> Credentials:
    """The credentials for requests: impersonated, default, or anonymous with an emulator.

    Raises ``Misconfigured`` when there are none. Sends no request, except that a machine without
    a credentials file or variable tries the metadata server of Google Cloud.
    """
    if _emulated():
        return AnonymousCredentials()  # type: ignore[no-untyped-call] # google.auth's own
    source, _ = _default()
    account = os.environ.get("TAXI_GCP_IMPERSONATE", "")
    if not account:
        return source
    if "@" not in account:
        raise Misconfigured(
            f"TAXI_GCP_IMPERSONATE is {account!r}, which is not a service account.",
            "Set its address, such as taxi-worker@my-project.iam.gserviceaccount.com.",
        )
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call] # the same
        source_credentials=source, target_principal=account, target_scopes=[_SCOPE]
    )


def project() -> str | None:
    """``GOOGLE_CLOUD_PROJECT``, else the project of the default credentials, if any."""
    named = os.environ.get("GOOGLE_CLOUD_PROJECT")
    if named or _emulated():
        return named or "local"
    return _default()[1]


def google_error_details(error: Exception) -> ErrorDetails:
    """The HTTP status, reasons and message of an exception of any Google client.

    The message is the service's own: clients prefix it with method and URL, or include the whole
    response.
    """
    account = os.environ.get("TAXI_GCP_IMPERSONATE")
    if isinstance(error, GoogleAuthError):
        message = f"no token for {account}: {error}" if account else str(error)
        code = "retryable" if error.retryable else "impersonated" if account else ""
        return ErrorDetails(message, {code})
    response = getattr(error, "response", None)
    if isinstance(response, requests.Response) and not response.ok:
        return _response_details(response)
    if not isinstance(error, GoogleAPICallError):
        return ErrorDetails(str(error))
    # gRPC, or a query's job.
    codes = {*http_codes(int(error.code or 0)), *_reasons(error.errors)}
    return ErrorDetails(error.message, codes)


def _response_details(response: requests.Response) -> ErrorDetails:
    status = http_codes(response.status_code)
    try:
        error = response.json()["error"]
        reasons = _reasons([*error.get("errors", ()), *error.get("details", ())])
        return ErrorDetails(error["message"], {*status, *reasons})
    except (ValueError, LookupError, TypeError, AttributeError):  # downloads get plain text
        return ErrorDetails(response.text or response.reason, status)


def _reasons(details: Iterable[object]) -> set[str]:
    return {str(each.get("reason")) for each in details if isinstance(each, Mapping)}


def _emulated() -> bool:
    return any(os.environ.get(name) for name in _EMULATORS)


def _default() -> tuple[Credentials, str | None]:
    try:
        found: tuple[Credentials, str | None] = google.auth.default(scopes=[_SCOPE])
    except DefaultCredentialsError as error:
        raise Misconfigured(
            f"There are no usable Google credentials ({text_shown(str(error))}).",
            "Run `gcloud auth application-default login`, set GOOGLE_APPLICATION_CREDENTIALS to a "
            "key file, or run as a service account (Workload Identity).",
        ) from cause_shown(error)
    return found
