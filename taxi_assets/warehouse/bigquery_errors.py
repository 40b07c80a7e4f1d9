"""What BigQuery says when it refuses, as a table; see :mod:`taxi_assets.services`.

https://cloud.google.com/bigquery/docs/error-messages lists its reasons; the job… forms are the
API's newer names.
"""

from __future__ import annotations

from requests.exceptions import ConnectionError, Timeout  # noqa: A004 - the builtin is not used

from taxi_assets.errors import AuditFailed, ObjectMissing
from taxi_assets.gcp import GOOGLE_ERRORS, GOOGLE_RULES, said_by_google
from taxi_assets.services import Rule, Service, transient

__all__ = ["BIGQUERY", "ROLES"]

ROLES = (
    "Grant the worker's account roles/bigquery.dataEditor on the dataset, roles/bigquery.jobUser "
    "and roles/bigquery.readSessionUser on the project, and roles/storage.objectViewer on the "
    "lake's bucket."
)

_RULES = (
    *GOOGLE_RULES,
    transient("backendError", "internalError", "jobBackendError", "jobInternalError"),
    transient("quotaExceeded", "rateLimitExceeded", "jobRateLimitExceeded"),
    transient("stopped", "tableUnavailable", "timeout", ConnectionError, Timeout),
    transient(412),  # another run changed the table's schema between our read of it and our change
    Rule(
        set(),
        "BigQuery loads only within one location: make the dataset where the bucket is, or the "
        "bucket where the dataset is. Neither can be moved.",
        words=r"Cannot read and write in different locations: .*",
    ),
    Rule(
        set(),
        "Take location= out of TAXI_WAREHOUSE_URL or name the dataset's own.",
        words=r"(Not found: )?Dataset \S+ was not found in location .*",
    ),
    Rule({403, "accessDenied", "forbidden", "billingNotEnabled"}, ROLES),
    Rule(
        {404, "notFound"},
        "Make the dataset where the bucket is: "
        "`bq --location=LOCATION mk --dataset PROJECT:DATASET`.",
        words=r"(Not found: )?Dataset .*",
    ),
    Rule({404, "notFound"}, "Put the month into the lake again.", ObjectMissing),
    Rule(
        set(),
        "The table is as it was. The file holds another source_month: make it again.",
        AuditFailed,
        r"Some rows belong to different partitions rather than destination partition .*",
    ),
    Rule(
        set(),
        "The table is as it was. Correct the file or the specification first; the same load fails "
        "again.",
        AuditFailed,
    ),
)

BIGQUERY = Service("BigQuery", (*GOOGLE_ERRORS, ConnectionError, Timeout), said_by_google, _RULES)
