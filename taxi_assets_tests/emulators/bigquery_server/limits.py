"""Limits of labels, descriptions, clustering and job ids, which local-bigquery does not check.

https://cloud.google.com/bigquery/docs/labels-intro#requirements,
https://cloud.google.com/bigquery/quotas#table_limits,
https://cloud.google.com/bigquery/docs/running-jobs#generate-jobid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .upstream import BigQueryError, runner, tables

_LABEL_KEY = re.compile(r"[^\W\d_][\w-]{0,62}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_COLUMN_DESCRIPTION, _TABLE_DESCRIPTION = 1024, 16384
_CLUSTERING_COLUMNS = 4
_CLUSTERING_TYPES = {
    *("BOOL", "BOOLEAN", "DATE", "DATETIME", "GEOGRAPHY", "INT64", "INTEGER"),
    *("NUMERIC", "BIGNUMERIC", "STRING", "TIMESTAMP"),
}

_update, _submit = tables.update, runner.submit


def apply() -> None:
    """Apply the patch; ``table_creation`` checks new tables."""
    tables.update, runner.submit = update, submit


def update(project: str, dataset: str, table: str, body: Any, *arguments: Any) -> Any:
    """The changed table's resource; the arguments are local-bigquery's."""
    check_table(body)
    return _update(project, dataset, table, body, *arguments)


def submit(project: str, job_id: str, configuration: Any, *arguments: Any, **options: Any) -> Any:
    """The new job; the arguments are local-bigquery's."""
    if not _JOB_ID.fullmatch(job_id):
        raise BigQueryError("invalid", f'Invalid job ID "{job_id}".')
    _check_labels(configuration.labels)
    if configuration.load and configuration.load.schema_:
        _check_descriptions(configuration.load.schema_.fields or ())
    return _submit(project, job_id, configuration, *arguments, **options)


def check_table(body: Any) -> None:
    """Raise BigQuery's error for a table's resource that exceeds a limit."""
    _check_labels(body.labels)
    if len(body.description or "") > _TABLE_DESCRIPTION:
        raise _too_long("Table", _TABLE_DESCRIPTION)
    fields = tables.fields(body)
    _check_descriptions(fields)
    clustering = (body.clustering and body.clustering.fields) or []
    if len(clustering) > _CLUSTERING_COLUMNS:
        raise BigQueryError("invalid", f"At most {_CLUSTERING_COLUMNS} clustering fields")
    types = {field.name: field.type for field in fields}
    for name in clustering:
        if types.get(name) not in _CLUSTERING_TYPES:
            raise BigQueryError("invalid", f"Entry {name} has an unsupported type for clustering.")


def _check_labels(labels: Mapping[str, str | None] | None) -> None:
    for key, value in (labels or {}).items():
        if not (
            _LABEL_KEY.fullmatch(key)
            and _LABEL_VALUE.fullmatch(value or "")
            and f"{key}{value}" == f"{key}{value}".lower()
        ):
            raise BigQueryError("invalid", f"Label {key}={value} contains invalid characters.")


def _check_descriptions(fields: Iterable[Any]) -> None:
    if any(len(field.description or "") > _COLUMN_DESCRIPTION for field in fields):
        raise _too_long("Field", _COLUMN_DESCRIPTION)


def _too_long(what: str, limit: int) -> BigQueryError:
    return BigQueryError("invalid", f"{what} description is longer than {limit} characters")
