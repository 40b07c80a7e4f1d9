"""``last_modified_time`` in ``INFORMATION_SCHEMA.PARTITIONS``, which local-bigquery does not have.

BigQuery's "is updated when data is inserted, loaded, streamed, or modified within the partition.
Modifications that involve record deletions might not be reflected"
(https://cloud.google.com/bigquery/docs/information-schema-partitions). Here deletions never are: it
is the time of the newest DuckLake snapshot that wrote one of the current rows.
"""

from __future__ import annotations

from typing import Any

from .partitions import FORMATS, Ids, partitioning_of
from .upstream import database, information_schema, tables

_partitions = information_schema.partitions


def apply() -> None:
    """Apply the patch."""
    information_schema.VIEWS["PARTITIONS"] = partitions


def partitions(project: str, dataset: str | None) -> tuple[list[str], list[list[Any]]]:
    """The view's columns and rows."""
    columns, rows = _partitions(project, dataset)
    times = {ids: _times(ids) for ids in {(*row[:3],) for row in rows}}
    return [*columns, "last_modified_time TIMESTAMP"], [
        [*row, information_schema._timestamp(times[*row[:3]].get(row[3]))] for row in rows
    ]


def _times(ids: Ids) -> dict[str, str]:
    """Partition id → milliseconds since 1970, for tables partitioned by a column."""
    partitioning = partitioning_of(ids)
    if not partitioning or not partitioning.field:
        return {}
    field = f"strftime({database.quote(partitioning.field)}, '{FORMATS[partitioning.type]}')"
    return dict(
        database.fetch(
            f"SELECT coalesce({field}, '__NULL__'), epoch_ms(max(snapshot_time))::VARCHAR "
            f"FROM {tables.name(*ids)} JOIN {database.quote(ids[0])}.snapshots() "
            "USING (snapshot_id) GROUP BY 1"
        )
    )
