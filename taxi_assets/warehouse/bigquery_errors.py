"""Error rules for BigQuery, see :mod:`taxi_assets.services`.

Reasons: https://cloud.google.com/bigquery/docs/error-messages; those that start with job are the
API's newer names.
"""

from __future__ import annotations

from google.api_core.exceptions import Aborted
from requests.exceptions import RequestException

from taxi_assets.errors import (
    AuditFailed,
    ConcurrentWrite,
    ObjectMissing,
    PermanentError,
    StoreUnavailable,
    TableSchemaConflict,
)
from taxi_assets.gcp import GOOGLE_ERRORS, GOOGLE_RULES, google_error_details
from taxi_assets.grants import DATASET, LAKE, PROJECT, RUNNER, roles
from taxi_assets.lake.store import RUN_AGAIN
from taxi_assets.services import ErrorDetails, Rule, Service, transient

__all__ = ["BIGQUERY", "ROLES", "JobFailed"]

ROLES = (
    f"Grant the worker's account {roles(RUNNER, DATASET)} on the dataset, {roles(RUNNER, PROJECT)} "
    f"on the project, and {roles(RUNNER, LAKE)} on the lake's bucket."
)

_SESSION_ENDED = "upload session ended"


class JobFailed(Exception):
    """A job that ended with an error: its message, and its ``reason`` of the list above."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def _details(error: Exception) -> ErrorDetails:
    """As ``google_error_details``; only the parts of an upload are sent with PUT."""
    if isinstance(error, JobFailed):
        return ErrorDetails(str(error), {error.reason})
    details = google_error_details(error)
    request = getattr(getattr(error, "response", None), "request", None)
    if getattr(request, "method", "") == "PUT" and not details.codes.isdisjoint({404, 410}):
        return ErrorDetails(details.message, {*details.codes, _SESSION_ENDED})
    return details


_RULES = (
    *GOOGLE_RULES,
    Rule(
        {501, "notImplemented"},
        "What answers there lacks a part of BigQuery that the platform uses: check the address.",
    ),
    Rule(
        {"stopped"},
        "Somebody cancelled the job: the project's audit logs say who. The table is unchanged. Run "
        "the month again when it is to be loaded.",
        PermanentError,
    ),
    transient("backendError", "internalError", "jobBackendError", "jobInternalError"),
    transient("rateLimitExceeded", "jobRateLimitExceeded", "tableUnavailable", "timeout"),
    transient(Aborted, RequestException, ConnectionError, TimeoutError, _SESSION_ENDED),
    transient(412),  # another run changed the table's schema between our read of it and our change
    Rule(
        {"quotaExceeded"},
        "Unlike a rate limit, a quota is refilled in ten minutes to a day: wait, or raise it "
        "(https://cloud.google.com/bigquery/docs/troubleshoot-quotas).",
        StoreUnavailable,
    ),
    Rule(
        set(),
        "BigQuery loads only within one location: create the dataset in the bucket's location, or "
        "the bucket in the dataset's. Neither can be moved.",
        pattern=r"Cannot read and write in different locations: .*",
    ),
    Rule(
        set(),
        "Remove location= from TAXI_WAREHOUSE_URL or set it to the dataset's location.",
        pattern=r"(Not found: )?Dataset \S+ was not found in location .*",
    ),
    Rule(
        {401},
        "Run `gcloud auth application-default login`, or renew GOOGLE_APPLICATION_CREDENTIALS.",
    ),
    Rule(
        {"accessNotConfigured", "SERVICE_DISABLED"},
        "Enable the APIs in the project: `gcloud services enable bigquery.googleapis.com "
        "bigquerystorage.googleapis.com`.",
    ),
    Rule(
        {"billingNotEnabled", "BILLING_DISABLED"},
        "Enable billing for the project: without it, BigQuery runs no INSERT, which is how "
        "months are recorded.",
    ),
    Rule({"blocked"}, "Google has blocked this operation in the project: ask Google's support."),
    Rule({403, "accessDenied", "forbidden"}, ROLES),
    Rule(
        {404, "notFound"},
        "Create the dataset in the bucket's location: "
        "`bq --location=LOCATION mk --dataset PROJECT:DATASET`.",
        pattern=r"(Not found: )?Dataset .*",
    ),
    Rule({404, "notFound"}, RUN_AGAIN, ConcurrentWrite, r"Not found: (URI|Files) gs://.*"),
    Rule({404, "notFound"}, "Store the month in the lake again.", ObjectMissing),
    Rule(
        {
            "invalidQuery",
            "bytesBilledLimitExceeded",
            "billingTierLimitExceeded",
            "responseTooLarge",
        },
        "The query is this package's own, over the table and loaded_months. Undo what was changed "
        "in their columns, or in loaded_months by hand; otherwise report it.",
    ),
    Rule(
        {"resourcesExceeded"},
        "The table is unchanged. Write the file with smaller row groups and pages, and no row of "
        "more than 50 MB.",
        AuditFailed,
    ),
    Rule(
        set(),
        "The table is unchanged. The file has rows of another source_month: clean the month again.",
        AuditFailed,
        r"Some rows belong to different partitions rather than destination partition .*",
    ),
    Rule(
        set(),
        "The table is unchanged, but was made with another partitioning or clustering than this "
        "platform's: rename it, and load its months again into a new one.",
        TableSchemaConflict,
        r"Incompatible table partitioning specification.*",
    ),
    Rule(
        set(),
        "The table is unchanged. Correct the file or the specification first; the same load fails "
        "again.",
        AuditFailed,
    ),
)

BIGQUERY = Service(
    "BigQuery",
    (*GOOGLE_ERRORS, JobFailed, RequestException, ConnectionError, TimeoutError),
    _details,
    _RULES,
)
