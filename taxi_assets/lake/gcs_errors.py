"""What GCS says when it refuses, as a table; see :mod:`taxi_assets.services`.

https://cloud.google.com/storage/docs/json_api/v1/status-codes lists its statuses and reasons.
"""

from __future__ import annotations

from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.exceptions import RequestException

from taxi_assets.errors import StoreUnavailable
from taxi_assets.gcp import GOOGLE_ERRORS, GOOGLE_RULES, said_by_google
from taxi_assets.lake.bucket import gone, lost_race, no_bucket
from taxi_assets.services import TRY_LATER, Rule, Service, transient

__all__ = ["GCS", "NO_BUCKET"]

NO_BUCKET = "no bucket"
"""The code of a 404 to a request that names no object."""

_MAKE = "gcloud storage buckets create gs://{bucket} --location=LOCATION --project=PROJECT"
_PROJECT = (
    "GCS refused the project, not the bucket: set GOOGLE_CLOUD_PROJECT to one that the worker's "
    "account may use, with billing and the API storage.googleapis.com enabled."
)
_PROJECT_REASONS = {
    *("accessNotConfigured", "SERVICE_DISABLED", "accountDisabled", "BILLING_DISABLED"),
    *("CONSUMER_INVALID", "USER_PROJECT_DENIED"),
    *("UserProjectAccountProblem", "UserProjectInvalid", "UserProjectMissing"),
}
_PROJECT_WORDS = (
    r"User project specified in the request is invalid\.?|Unknown project id: .*"
    r"|The billing account for the owning project is disabled.*"
    r"|Caller does not have required permission to use project .*"
)
_MISMATCH = r"Provided (CRC32C|MD5 hash)\b.* doesn't match calculated \1.*"

_RULES = (
    *GOOGLE_RULES,
    lost_race(),
    no_bucket(NO_BUCKET, make=_MAKE),
    no_bucket(404, make=_MAKE, words=r"The specified bucket does not exist\."),
    gone(410),
    transient(DataCorruption, RequestException, ConnectionError, TimeoutError),
    Rule({400}, TRY_LATER, StoreUnavailable, _MISMATCH),
    Rule(_PROJECT_REASONS, _PROJECT),
    Rule({400, 403}, _PROJECT, words=_PROJECT_WORDS),
    Rule(
        {401},
        "Run `gcloud auth application-default login`, or renew GOOGLE_APPLICATION_CREDENTIALS.",
    ),
    Rule(
        {403},
        "Grant the worker's account roles/storage.objectUser on gs://{bucket}, or "
        "roles/storage.objectViewer if it only reads.",
    ),
    Rule(set(), "Correct TAXI_LAKE_URL or the settings of Google Cloud."),
)

_HTTP = (InvalidResponse, DataCorruption, RequestException, ConnectionError, TimeoutError)
GCS = Service("GCS", (*GOOGLE_ERRORS, *_HTTP), said_by_google, _RULES)
