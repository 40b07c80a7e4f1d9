"""Error rules for Google Cloud Storage, see :mod:`taxi_assets.services`.

Statuses and reasons: https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

from __future__ import annotations

from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.exceptions import RequestException

from taxi_assets.errors import StoreUnavailable
from taxi_assets.gcp import GOOGLE_ERRORS, GOOGLE_RULES, google_error_details
from taxi_assets.grants import LAKE, READER, RUNNER, roles
from taxi_assets.lake.bucket_rules import bucket_missing, object_missing, precondition_failed
from taxi_assets.services import TRY_LATER, Rule, Service, transient

__all__ = ["GCS", "NO_BUCKET"]

NO_BUCKET = "no bucket"
"""The code for a 404 response to a request that names no object."""

_CREATE = "gcloud storage buckets create gs://{bucket} --location=LOCATION --project=PROJECT"
_PROJECT = (
    "GCS rejected the project, not the bucket: set GOOGLE_CLOUD_PROJECT to one that the worker's "
    "account may use, with billing and the API storage.googleapis.com enabled."
)
_PROJECT_REASONS = {
    *("accessNotConfigured", "SERVICE_DISABLED", "accountDisabled", "BILLING_DISABLED"),
    *("CONSUMER_INVALID", "USER_PROJECT_DENIED"),
    *("UserProjectAccountProblem", "UserProjectInvalid", "UserProjectMissing"),
}
_PROJECT_MESSAGES = (
    r"User project specified in the request is invalid\.?|Unknown project id: .*"
    r"|The billing account for the owning project is disabled.*"
    r"|Caller does not have required permission to use project .*"
)
_MISMATCH = r"Provided (CRC32C|MD5 hash)\b.* doesn't match calculated \1.*"

_RULES = (
    *GOOGLE_RULES,
    precondition_failed(),
    bucket_missing(NO_BUCKET, command=_CREATE),
    bucket_missing(404, command=_CREATE, pattern=r"The specified bucket does not exist\."),
    object_missing(410),
    transient(DataCorruption, RequestException, ConnectionError, TimeoutError),
    Rule({400}, TRY_LATER, StoreUnavailable, _MISMATCH),
    Rule(_PROJECT_REASONS, _PROJECT),
    Rule({400, 403}, _PROJECT, pattern=_PROJECT_MESSAGES),
    Rule(
        {401},
        "Run `gcloud auth application-default login`, or renew GOOGLE_APPLICATION_CREDENTIALS.",
    ),
    Rule(
        {403},
        f"Grant the worker's account {roles(RUNNER, LAKE)} on gs://{{bucket}}, or "
        f"{roles(READER, LAKE)} if it only reads.",
    ),
    Rule(set(), "Correct TAXI_LAKE_URL or the Google Cloud settings."),
)

_HTTP = (InvalidResponse, DataCorruption, RequestException, ConnectionError, TimeoutError)
GCS = Service("GCS", (*GOOGLE_ERRORS, *_HTTP), google_error_details, _RULES)
