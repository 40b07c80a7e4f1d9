"""Error rules for BigQuery, see :mod:`taxi_assets.services`.

Reasons: https://cloud.google.com/bigquery/docs/error-messages; those that start with job are the
API's newer names.
"""

from __future__ import annotations

from requests.exceptions import ConnectionError, Timeout  # noqa: A004 - the builtin is not used

from taxi_assets.errors import AuditFailed, ConcurrentWrite, ObjectMissing, TableSchemaConflict
from taxi_assets.gcp import GOOGLE_ERRORS, GOOGLE_RULES, google_error_details
from taxi_assets.grants import DATASET, LAKE, PROJECT, RUNNER, roles
from taxi_assets.lake.store import RUN_AGAIN
from taxi_assets.services import Rule, Service, transient

__all__ = ["BIGQUERY", "ROLES"]

ROLES = (
    f"Grant the worker's account {roles(RUNNER, DATASET)} on the dataset, {roles(RUNNER, PROJECT)} "
    f"on the project, and {roles(RUNNER, LAKE)} on the lake's bucket."
)

_RULES = (
    *GOOGLE_RULES,
    transient("backendError", "internalError", "jobBackendError", "jobInternalError"),
    transient("quotaExceeded", "rateLimitExceeded", "jobRateLimitExceeded"),
    transient("stopped", "tableUnavailable", "timeout", ConnectionError, Timeout),
    transient(412),  # another run changed the table's schema between our read of it and our change
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
    Rule({403, "accessDenied", "forbidden", "billingNotEnabled"}, ROLES),
    Rule(
        {404, "notFound"},
        "Create the dataset in the bucket's location: "
        "`bq --location=LOCATION mk --dataset PROJECT:DATASET`.",
        pattern=r"(Not found: )?Dataset .*",
    ),
    Rule({404, "notFound"}, RUN_AGAIN, ConcurrentWrite, r"Not found: (URI|Files) gs://.*"),
    Rule({404, "notFound"}, "Store the month in the lake again.", ObjectMissing),
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
    "BigQuery", (*GOOGLE_ERRORS, ConnectionError, Timeout), google_error_details, _RULES
)
