"""Partitions expire, and a table inherits how soon from its dataset; local-bigquery does neither.

https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset
(``defaultPartitionExpirationMs``): a new partitioned table inherits the value, and then no
expiration of the table. A partition is deleted that long after its start
(https://cloud.google.com/bigquery/docs/managing-partitioned-tables#partition-expiration): an old
one as soon as it is loaded.
"""

from __future__ import annotations

from typing import Any

from .partitions import Ids, partitioning_of
from .upstream import database, datasets, tables


def inherited(project: str, dataset: str, body: Any) -> Any:
    """The resource of a new table, with the expiration that it inherits."""
    milliseconds = datasets.get(project, dataset).defaultPartitionExpirationMs
    partitioning = body.timePartitioning
    if not milliseconds or not partitioning or partitioning.expirationMs:
        return body
    return body.replace(timePartitioning=partitioning.replace(expirationMs=milliseconds))


def expire(ids: Ids) -> None:
    """Delete the table's expired partitions."""
    partitioning = partitioning_of(ids)
    if partitioning and partitioning.field and partitioning.expirationMs:
        start = f"date_trunc('{partitioning.type}', {database.quote(partitioning.field)})"
        database.execute(
            f"DELETE FROM {tables.name(*ids)} WHERE {start} + "
            f"to_milliseconds({int(partitioning.expirationMs)}) < now()::TIMESTAMP"
        )
