"""Partition decorators: ``trips$202401`` is the partition of January 2024 of ``trips``.

local-bigquery loads into a table named ``trips$202401`` instead, without an error. Writes are in
``partition_writes``.
"""

from __future__ import annotations

import re
from typing import Any

from .upstream import BigQueryError, copy, database, metadata, names, not_found, tables

Ids = tuple[str, str, str]

# Partition ids by granularity, as strftime writes them.
FORMATS = {"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}
_DIGITS = {"HOUR": 10, "DAY": 8, "MONTH": 6, "YEAR": 4}
_PARTITION = re.compile(r"\d{4}|\d{6}|\d{8}|\d{10}")

_reference, _delete, _source = tables.reference, tables.delete, copy._source


class Reference(tuple[str, str, str]):
    """Project, dataset and table, as in local-bigquery, and the partition in the decorator.

    ``partition`` is None for the whole table.
    """

    partition: str | None = None


def apply() -> None:
    """Apply the patch."""
    tables.reference, tables.delete, copy._source = reference, delete, source


def reference(table: Any) -> Reference:
    """A job's reference to a table."""
    project, dataset, written = _reference(table)
    name, partition = split(written)
    ids = Reference((project, dataset, name))
    ids.partition = partition
    return ids


def split(written: str) -> tuple[str, str | None]:
    """Table name and partition id; raises BigQuery's error for an invalid id."""
    name, dollar, partition = written.partition("$")
    if not dollar:
        return name, None
    if not _PARTITION.fullmatch(partition):
        raise BigQueryError("invalid", f"Invalid table decorator: {written}")
    return name, partition


def delete(project: str, dataset: str, written: str) -> None:
    """Drop a table, or delete the rows of one partition."""
    name, partition = split(written)
    if partition is None:
        _delete(project, dataset, name)
        return
    ids = (project, dataset, name)
    if not tables.exists(*ids):
        raise not_found("Table", names.label(*ids))
    within = condition(ids, partition, partitioning_of(ids))
    database.execute(f"DELETE FROM {tables.name(*ids)} WHERE {within}")


def source(ids: Ids) -> str:
    """The relation that a copy job reads."""
    partition = getattr(ids, "partition", None)
    if partition is None:
        return str(_source(ids))
    tables.load(*ids)
    within = condition(ids, partition, partitioning_of(ids))
    return f"(SELECT * FROM {tables.name(*ids)} WHERE {within})"


def layout_of(ids: Ids) -> Any:
    """An existing table's partitioning and clustering, or None."""
    return metadata.load(tables.Table, *ids)


def partitioning_of(ids: Ids) -> Any:
    """The time partitioning of an existing table, or None."""
    stored = layout_of(ids)
    return stored and stored.timePartitioning


def condition(ids: Ids, partition: str, partitioning: Any) -> str:
    """An SQL condition that is true for the partition's rows and never NULL."""
    label = names.label(*ids)
    if not partitioning or not partitioning.field:
        raise BigQueryError(
            "invalid",
            f"Cannot use partition decorator ${partition}: "
            f"table {label} is not partitioned by a column",
        )
    granularity = partitioning.type or "DAY"
    if len(partition) != _DIGITS[granularity]:
        raise BigQueryError(
            "invalid",
            f"Invalid partition id {partition} for {granularity} partitioned table {label}",
        )
    field = database.quote(partitioning.field)
    return f"strftime({field}, '{FORMATS[granularity]}') IS NOT DISTINCT FROM '{partition}'"
