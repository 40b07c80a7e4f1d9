"""Error rules for Google Cloud Storage, see :mod:`taxi_assets.services`.

Statuses and reasons: https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

from __future__ import annotations

from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.exceptions import RequestException

from taxi_assets.errors import StoreUnavailable
from taxi_assets.gcp import GOOGLE_ERRORS, GOOGLE_RULES, google_error_details
from taxi_assets.grants import LAKE, READER, RUNNER, roles
from taxi_assets.lake.bucket_rules import (
    bucket_missing,
    locked,
    object_missing,
    over_a_limit,
    precondition_failed,
)
from taxi_assets.services import TRY_LATER, ErrorDetails, Rule, Service, transient

__all__ = ["GCS", "NO_BUCKET", "RESTART"]

NO_BUCKET = "no bucket"
"""The code for a 404 response to a request that names no object."""

RESTART = "restart"
"""The code for an upload whose session was lost, or is in another state than the client thinks."""

_CREATE = "gcloud storage buckets create gs://{bucket} --location=LOCATION --project=PROJECT"
_PROJECT = (
    "GCS rejected the project, not the bucket: set GOOGLE_CLOUD_PROJECT to one that the worker's "
    "account may use, with billing and the API storage.googleapis.com enabled."
)
_PROJECT_REASONS = {
    *("accessNotConfigured", "SERVICE_DISABLED", "accountDisabled", "BILLING_DISABLED"),
    *("CONSUMER_INVALID", "USER_PROJECT_DENIED"),
    *("usageLimits.accessNotConfigured", "userProjectInconsistent", "userProjectAccessDenied"),
    *("UserProjectAccountProblem", "UserProjectInvalid", "UserProjectMissing"),
}
_PROJECT_MESSAGES = (
    r"User project specified in the request is invalid\.?|Unknown project id: .*"
    r"|The billing account for the owning project is disabled.*"
    r"|Caller does not have required permission to use project .*"
)
_KMS = {
    *("cloudKmsBadKey", "cloudKmsCannotChangeKeyName", "cloudKmsDecryptionKeyNotFound"),
    *("cloudKmsDisabledKey", "cloudKmsEncryptionKeyNotFound", "cloudKmsKeyLocationNotAllowed"),
}
_MISMATCH = r"Provided (CRC32C|MD5 hash)\b.* doesn't match calculated \1.*"

_GONE = {404, 410, 308}  # a 308 with which the client fails says that no byte has arrived
_OUT_OF_STEP = ("Bytes stream is in unexpected state", "Upload is in an invalid state")


def _details(error: Exception) -> ErrorDetails:
    """As ``google_error_details``; only the parts of a resumable upload are sent with PUT.

    https://cloud.google.com/storage/docs/retry-strategy: a session that is gone has to be restarted
    """
    details = google_error_details(error)
    request = getattr(getattr(error, "response", None), "request", None)
    lost = getattr(request, "method", "") == "PUT" and not details.codes.isdisjoint(_GONE)
    moved = isinstance(error, ValueError) and details.message.startswith(_OUT_OF_STEP)
    return ErrorDetails(details.message, {*details.codes, RESTART}) if lost or moved else details


_RULES = (
    *GOOGLE_RULES,
    transient(RESTART),
    Rule(
        {"orgPolicyConstraintFailed"},
        "A policy of the organisation forbids this: ask its administrator, or use another bucket.",
    ),
    precondition_failed(),
    bucket_missing(NO_BUCKET, command=_CREATE),
    bucket_missing(404, command=_CREATE, pattern=r"The specified bucket does not exist\."),
    object_missing(410),
    transient(DataCorruption, RequestException, ConnectionError, TimeoutError),
    transient("rateLimitExceeded", "userRateLimitExceeded"),
    Rule(
        {"quotaExceeded", "dailyLimitExceeded"},
        "A quota of the project is used up: wait until it is refilled, or raise it (IAM & Admin, "
        "Quotas).",
        StoreUnavailable,
    ),
    Rule({400}, TRY_LATER, StoreUnavailable, _MISMATCH),
    locked("objectUnderActiveHold", "retentionPolicyNotMet", "retentionPolicyViolation"),
    over_a_limit("uploadTooLarge", 413),
    over_a_limit(400, pattern=r"(Metadata part is too large|The maximum object length is).*"),
    Rule(
        _KMS,
        "Correct the default Cloud KMS key of gs://{bucket}: it has to exist, to be enabled, in "
        "the bucket's location, and usable by Cloud Storage's service agent.",
    ),
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
    Rule(
        set(),
        "Google's list of status codes of the Cloud Storage JSON API says more. Check "
        "TAXI_LAKE_URL.",
    ),
)

_HTTP = (InvalidResponse, DataCorruption, RequestException, ConnectionError, TimeoutError)
GCS = Service("GCS", (*GOOGLE_ERRORS, *_HTTP, ValueError), _details, _RULES)
