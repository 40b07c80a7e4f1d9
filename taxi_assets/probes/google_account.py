"""The account of the Google credentials."""

from __future__ import annotations

import os
from typing import Final

import requests
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.transport.requests import Request

from taxi_assets import gcp
from taxi_assets.services import Rule, Service, named_errors

__all__ = ["account"]

# https://cloud.google.com/docs/authentication/token-types#access-tokens
_TOKEN_INFO: Final = "https://oauth2.googleapis.com/tokeninfo"  # noqa: S105 - an address
_TIMEOUT_SECONDS: Final = 10

_GOOGLE: Final = Service(
    "Google",
    gcp.GOOGLE_ERRORS,
    gcp.google_error_details,
    (*gcp.GOOGLE_RULES, Rule(set(), "Renew the credentials.")),
)


def account() -> str:
    """The service account or user, and the project that requests are made for.

    Gets a token, and asks Google for a user's address, which user credentials do not contain.
    """
    found = gcp.credentials()
    project = f"project {gcp.project() or '(none: set GOOGLE_CLOUD_PROJECT)'}"
    if isinstance(found, AnonymousCredentials):
        return f"nobody, because an emulator is configured; {project}"
    with named_errors(_GOOGLE, "Getting a token for the Google credentials"):
        found.refresh(Request())  # type: ignore[no-untyped-call]  # google.auth's own
    impersonated = os.environ.get("TAXI_GCP_IMPERSONATE")
    how = ", which is impersonated (TAXI_GCP_IMPERSONATE)" if impersonated else ""
    return f"{_name(found)}{how}; {project}"


def _name(found: Credentials) -> str:
    service_account = getattr(found, "service_account_email", None)
    if service_account:
        return f"service account {service_account}"
    user = getattr(found, "account", None) or _email(str(found.token))
    return f"user {user}" if user else f"an account that it does not name ({type(found).__name__})"


def _email(token: str) -> str:
    """The address that a token was issued to; empty if it is not known."""
    try:
        # In the body, because addresses are logged.
        answer = requests.post(
            _TOKEN_INFO, data={"access_token": token}, timeout=_TIMEOUT_SECONDS
        ).json()
        return str(answer.get("email", ""))
    except (requests.RequestException, ValueError):
        return ""
