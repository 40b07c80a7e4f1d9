"""Who this process is on Google Cloud, for the lake on GCS and the warehouse on BigQuery.

Belongs here: credentials, the project, what a refused credential means. Does not: any service's
client or roles.

    TAXI_GCP_IMPERSONATE              act as this service account, with the credentials below
    GOOGLE_APPLICATION_CREDENTIALS    a key file or a Workload Identity Federation file
    GOOGLE_CLOUD_PROJECT              the project that requests are made for
    STORAGE_EMULATOR_HOST, BIGQUERY_EMULATOR_HOST    local stand-ins, which take no credentials

Without a key file they are the application default credentials: those of ``gcloud auth
application-default login`` on a laptop, of the attached service account on Google Cloud.
"""

from __future__ import annotations

import os

import google.auth
from google.auth import impersonated_credentials
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError

from taxi_assets.errors import Misconfigured, StoreUnavailable, TaxiAssetsError

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
            f"TAXI_GCP_IMPERSONATE is {account!r}, which is no service account; write its "
            "address, such as taxi-worker@my-project.iam.gserviceaccount.com."
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


def credentials_refused(doing: str, error: GoogleAuthError) -> TaxiAssetsError:
    """The error to raise when Google would not give a token for ``credentials()``.

    ``doing`` opens the message: what was being done to what.
    """
    if isinstance(error, TransportError) or error.retryable:
        return StoreUnavailable(f"{doing}: Google's token service did not answer ({error}).")
    account = os.environ.get("TAXI_GCP_IMPERSONATE")
    if account:
        return Misconfigured(
            f"{doing}: no token for {account} ({error}). Grant "
            "roles/iam.serviceAccountTokenCreator on that service account to whoever runs this, "
            "and enable the API iamcredentials.googleapis.com in its project."
        )
    return Misconfigured(
        f"{doing}: Google refused the credentials ({error}). Run `gcloud auth "
        "application-default login` again, or renew GOOGLE_APPLICATION_CREDENTIALS."
    )


def _emulated() -> bool:
    return any(os.environ.get(name) for name in _EMULATORS)


def _default() -> tuple[Credentials, str | None]:
    try:
        found: tuple[Credentials, str | None] = google.auth.default(scopes=[_SCOPE])
    except DefaultCredentialsError as error:
        raise Misconfigured(
            f"There are no usable Google credentials ({error}). Run `gcloud auth "
            "application-default login`, name a key file in GOOGLE_APPLICATION_CREDENTIALS, or "
            "run as a service account (Workload Identity)."
        ) from error
    return found
