"""Who this process is on Google Cloud, for the lake on GCS and the warehouse on BigQuery.

Credentials, the project, and what both services' clients raise alike, for their tables of errors
(``lake.gcs_errors``, ``warehouse.bigquery_errors``). A service's roles stand in its own table.

    TAXI_GCP_IMPERSONATE              act as this service account, with the credentials below
    GOOGLE_APPLICATION_CREDENTIALS    a key file or a Workload Identity Federation file
    GOOGLE_CLOUD_PROJECT              the project that requests are made for
    STORAGE_EMULATOR_HOST, BIGQUERY_EMULATOR_HOST    local stand-ins, which take no credentials

Without a key file they are the application default credentials: those of ``gcloud auth
application-default login`` on a laptop, of the attached service account on Google Cloud.
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

from taxi_assets.errors import Misconfigured
from taxi_assets.services import Rule, Said, http_codes, transient

__all__ = ["GOOGLE_ERRORS", "GOOGLE_RULES", "credentials", "project", "said_by_google"]

GOOGLE_ERRORS = (GoogleAPICallError, RetryError, GoogleAuthError)
"""What each of Google's clients raises."""

GOOGLE_RULES = (
    transient(RetryError, TransportError, "retryable"),
    Rule(
        {"impersonated"},
        "Grant roles/iam.serviceAccountTokenCreator on that service account to whoever runs this, "
        "and enable the API iamcredentials.googleapis.com in its project.",
    ),
    Rule(
        {GoogleAuthError},
        "Run `gcloud auth application-default login`, or renew GOOGLE_APPLICATION_CREDENTIALS.",
    ),
)
"""Where the table of each of Google's services begins: no answer, or no token."""

_EMULATORS = ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST")
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def credentials() -> Credentials:
    """What to sign requests with: impersonated, default, or anonymous on an emulator.

    Raises ``Misconfigured`` when there are none. Nothing is asked of Google yet, except that a
    machine without any file or variable looks for the metadata server of Google Cloud.
    """
    if _emulated():
        return AnonymousCredentials()  # type: ignore[no-untyped-call] # google.auth's own
    source, _ = _default()
    account = os.environ.get("TAXI_GCP_IMPERSONATE", "")
    if not account:
        return source
    if "@" not in account:
        raise Misconfigured(
            f"TAXI_GCP_IMPERSONATE is {account!r}, which is no service account.",
            "Write its address, such as taxi-worker@my-project.iam.gserviceaccount.com.",
        )
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call] # the same
        source_credentials=source, target_principal=account, target_scopes=[_SCOPE]
    )


def project() -> str | None:
    """The project of ``GOOGLE_CLOUD_PROJECT`` or of the default credentials, if either has one."""
    named = os.environ.get("GOOGLE_CLOUD_PROJECT")
    if named or _emulated():
        return named or "local"
    return _default()[1]


def said_by_google(error: Exception) -> Said:
    """What any of Google's clients raised: HTTP status and reasons, and the service's sentence.

    A client puts method and URL before that sentence, or the whole answer into it.
    """
    account = os.environ.get("TAXI_GCP_IMPERSONATE")
    if isinstance(error, GoogleAuthError):
        said = f"no token for {account}: {error}" if account else str(error)
        return Said(said, {"retryable" if error.retryable else "impersonated" if account else ""})
    response = getattr(error, "response", None)
    if isinstance(response, requests.Response) and not response.ok:
        return _refusal(response)
    if not isinstance(error, GoogleAPICallError):
        return Said(str(error))
    # gRPC, or a query's job.
    return Said(error.message, {*http_codes(int(error.code or 0)), *_reasons(error.errors)})


def _refusal(response: requests.Response) -> Said:
    status = http_codes(response.status_code)
    try:
        answer = response.json()["error"]
        reasons = _reasons([*answer.get("errors", ()), *answer.get("details", ())])
        return Said(answer["message"], {*status, *reasons})
    except (ValueError, LookupError, TypeError, AttributeError):  # downloads get plain text
        return Said(response.text or response.reason, status)


def _reasons(details: Iterable[object]) -> set[str]:
    return {str(each.get("reason")) for each in details if isinstance(each, Mapping)}


def _emulated() -> bool:
    return any(os.environ.get(name) for name in _EMULATORS)


def _default() -> tuple[Credentials, str | None]:
    try:
        found: tuple[Credentials, str | None] = google.auth.default(scopes=[_SCOPE])
    except DefaultCredentialsError as error:
        raise Misconfigured(
            f"There are no usable Google credentials ({error}).",
            "Run `gcloud auth application-default login`, name a key file in "
            "GOOGLE_APPLICATION_CREDENTIALS, or run as a service account (Workload Identity).",
        ) from error
    return found
