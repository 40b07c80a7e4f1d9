"""The roles of the platform's Google Cloud accounts, and the permissions they are granted for.

The only table of roles: error messages take their remedies from it, ``docs/grants.md`` is written
from it (``python -m taxi_assets.grants``), and a test compares ``deploy/terraform`` with it.

What a request needs is documented at

* https://cloud.google.com/storage/docs/access-control/iam-json
* https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#required_permissions
* https://cloud.google.com/bigquery/docs/information-schema-partitions#required_permissions
* https://cloud.google.com/bigquery/docs/reference/storage#permissions

and what a role permits at https://cloud.google.com/iam/docs/roles-permissions.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

__all__ = [
    "DAGSTER",
    "DATASET",
    "GRANTS",
    "IMAGES",
    "LAKE",
    "LOGS",
    "NODES",
    "PEOPLE",
    "PROJECT",
    "READER",
    "RUNNER",
    "Grant",
    "render_document",
    "roles",
]

RUNNER, DAGSTER, READER, NODES = "taxi-runner", "taxi-dagster", "taxi-reader", "taxi-nodes"
"""The service accounts."""
PEOPLE = "the members in `readers`"
"""Who may act as the reader."""

LAKE, LOGS, DATASET, PROJECT = "lake's bucket", "logs bucket", "dataset", "project"
IMAGES = "image repository"


@dataclass(frozen=True, slots=True)
class Grant:
    """``account`` has ``role`` on the resource ``on``, because it needs ``permissions`` there."""

    account: str
    on: str
    role: str
    permissions: tuple[str, ...]
    purpose: str


_OBJECTS = tuple(f"storage.objects.{each}" for each in ("create", "delete", "get", "list"))
_WRITE_TABLES = tuple(
    f"bigquery.tables.{each}"
    for each in ("create", "delete", "get", "getData", "list", "update", "updateData")
)
_READ_TABLES = tuple(f"bigquery.tables.{each}" for each in ("get", "getData", "list"))
_READ_SESSIONS = ("bigquery.readsessions.create", "bigquery.readsessions.getData")


def _logs(account: str, purpose: str) -> tuple[Grant, Grant]:
    return (
        Grant(account, LOGS, "roles/storage.objectUser", _OBJECTS, purpose),
        Grant(
            account,
            LOGS,
            "roles/storage.legacyBucketReader",
            ("storage.buckets.get",),
            "Dagster reads the bucket's own metadata when it starts",
        ),
    )


def _queries(account: str, purpose: str) -> tuple[Grant, Grant]:
    return (
        Grant(account, PROJECT, "roles/bigquery.jobUser", ("bigquery.jobs.create",), purpose),
        Grant(
            account,
            PROJECT,
            "roles/bigquery.readSessionUser",
            _READ_SESSIONS,
            "reading tables into frames (Storage Read API)",
        ),
    )


def _workload_identity(account: str) -> Grant:
    return Grant(
        f"the Kubernetes account `{account}`",
        account,
        "roles/iam.workloadIdentityUser",
        ("iam.serviceAccounts.getAccessToken",),
        "pods on GKE act as it, without a key",
    )


GRANTS = (
    Grant(
        RUNNER,
        LAKE,
        "roles/storage.objectUser",
        _OBJECTS,
        "reading, writing, replacing objects; no bucket settings",
    ),
    # The only predefined role that adds no more than the bucket's metadata to the one above;
    # roles/storage.bucketViewer is in beta and for lists of a project's buckets.
    Grant(
        RUNNER,
        LAKE,
        "roles/storage.legacyBucketReader",
        ("storage.buckets.get",),
        "a load job and `check` read the bucket's location",
    ),
    Grant(
        RUNNER,
        DATASET,
        "roles/bigquery.dataEditor",
        ("bigquery.datasets.get", *_WRITE_TABLES),
        "creating tables, adding columns, loading and counting months; `check` drops its table",
    ),
    *_queries(RUNNER, "starting load jobs and queries, which belong to a project"),
    *_logs(RUNNER, "writing the output of runs; partial logs are replaced repeatedly"),
    _workload_identity(RUNNER),
    *_logs(DAGSTER, "showing the output of runs; no access to lake and warehouse"),
    _workload_identity(DAGSTER),
    Grant(
        READER,
        LAKE,
        "roles/storage.objectViewer",
        ("storage.objects.get", "storage.objects.list"),
        "reading objects",
    ),
    Grant(
        READER,
        DATASET,
        "roles/bigquery.dataViewer",
        ("bigquery.datasets.get", *_READ_TABLES),
        "reading tables",
    ),
    *_queries(READER, "queries"),
    Grant(
        PEOPLE,
        READER,
        "roles/iam.serviceAccountTokenCreator",
        ("iam.serviceAccounts.getAccessToken",),
        "impersonation (`TAXI_GCP_IMPERSONATE`) instead of keys",
    ),
    Grant(
        NODES,
        PROJECT,
        "roles/container.defaultNodeServiceAccount",
        ("logging.logEntries.create", "monitoring.timeSeries.create"),
        "the cluster's own logs and metrics",
    ),
    Grant(
        NODES,
        IMAGES,
        "roles/artifactregistry.reader",
        ("artifactregistry.repositories.downloadArtifacts",),
        "pulling the image",
    ),
)
"""All grants, by account."""


def roles(account: str, on: str) -> str:
    """The account's roles on that resource, as words: ``roles/a and roles/b``."""
    return " and ".join(each.role for each in GRANTS if (each.account, each.on) == (account, on))


def render_document() -> str:
    """The text of ``docs/grants.md``."""
    rows = [
        f"| {_shown(each.account)} | {_shown(each.on)} | `{each.role}` | "
        f"{', '.join(f'`{permission}`' for permission in each.permissions)} | {each.purpose} |"
        for each in GRANTS
    ]
    return "\n".join([_INTRODUCTION, *rows, ""])


def _shown(name: str) -> str:
    return f"`{name}`" if name in {RUNNER, DAGSTER, READER, NODES} else name


_INTRODUCTION = """\
# Roles on Google Cloud

Written by `python -m taxi_assets.grants`. Terraform grants exactly these roles
(`deploy/terraform/`); the error of a month that needs a missing role names it.

Each role is granted on one resource, except those that exist on projects only; of these,
`bigquery.jobUser` and `bigquery.readSessionUser` give no access to data. Runs and the code server
act as `taxi-runner`, the web server and the daemon as `taxi-dagster`, notebooks and dashboards as
`taxi-reader`, the nodes of the cluster as `taxi-nodes`.

The column *needed* lists the permissions that the platform's requests need, as Google documents
them ([Cloud Storage](https://cloud.google.com/storage/docs/access-control/iam-json),
[loads](https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#required_permissions),
[partitions](https://cloud.google.com/bigquery/docs/information-schema-partitions#required_permissions),
[Storage Read API](https://cloud.google.com/bigquery/docs/reference/storage#permissions)). A custom
role with these permissions does the same.

| account | on | role | needed | for |
|---|---|---|---|---|"""


if __name__ == "__main__":
    sys.stdout.write(render_document())
