"""Create BigQuery tables with schema, partitions, clustering and labels, and add columns."""

from __future__ import annotations

from collections.abc import Iterable

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import bigquery

from taxi_assets.datasets.spec import Type
from taxi_assets.errors import Misconfigured, TableSchemaConflict
from taxi_assets.warehouse.bigquery_requests import LABELS, REQUEST
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table, added_columns

__all__ = ["ensure_table", "fields_of", "load_config", "require_kept", "types_of"]

# Timestamps have no time zone, so DATETIME: BigQuery's TIMESTAMP is in UTC.
FIELD_TYPES = {
    Type.INTEGER: "INTEGER",
    Type.FLOAT: "FLOAT",
    Type.STRING: "STRING",
    Type.TIMESTAMP: "DATETIME",
    Type.DATE: "DATE",
    Type.BOOLEAN: "BOOLEAN",
    Type.GEOGRAPHY: "GEOGRAPHY",
}
_TYPES = {name: type_ for type_, name in FIELD_TYPES.items()}
_DESCRIPTION_LIMIT = 1024  # of a column, in characters
_TABLE_DESCRIPTION_LIMIT = 16384
_CLUSTERING_LIMIT = 4
_DAY_MS = 86_400_000


def load_config(table: Table) -> bigquery.LoadJobConfig:
    """How a file replaces a table, or one partition of it.

    It names neither partitioning nor clustering: BigQuery compares a layout that a job names with
    the table's, which ``ensure_table`` made, and refuses one that names a part of it.
    """
    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        schema=fields_of(table),
        labels=LABELS,
    )


def fields_of(table: Table) -> list[bigquery.SchemaField]:
    """The table's columns with types and descriptions; required by every load.

    A ``WRITE_TRUNCATE`` load replaces the schema by its own, including descriptions.
    """
    return [
        bigquery.SchemaField(
            column.name,
            FIELD_TYPES[column.type],
            description=column.description[:_DESCRIPTION_LIMIT],
        )
        for column in table.columns
    ]


def types_of(fields: Iterable[bigquery.SchemaField]) -> list[tuple[str, Type | str]]:
    """The names and canonical types of existing columns; other types as BigQuery's text."""
    return [(field.name, _TYPES.get(field.field_type, field.field_type)) for field in fields]


def ensure_table(
    client: bigquery.Client, reference: bigquery.TableReference, table: Table, *, filtered: bool
) -> None:
    """Create the table or add missing columns; ``filtered`` sets ``require_partition_filter``.

    Raises ``TableSchemaConflict`` if it exists with other columns or other partitions, and
    ``Misconfigured`` if BigQuery would delete it, or its months, after a time.
    """
    try:
        existing = client.get_table(reference, **REQUEST)
    except NotFound:
        dataset = bigquery.DatasetReference(reference.project, reference.dataset_id)
        require_kept(client.get_dataset(dataset, **REQUEST))
        # exists_ok: another month's run may create it at the same time.
        new = _new_table(reference, table, filtered=filtered)
        client.create_table(new, exists_ok=True, **REQUEST)
        existing = client.get_table(reference, **REQUEST)
    _check_partitions(existing, table)
    _check_kept(existing)
    if added_columns(table, types_of(existing.schema)):
        try:
            _add_columns(client, existing, table)
        except PreconditionFailed:  # another run's request was first, or one of ours without answer
            existing = client.get_table(reference, **REQUEST)
            if added_columns(table, types_of(existing.schema)):
                raise


def _add_columns(client: bigquery.Client, existing: bigquery.Table, table: Table) -> None:
    have = {field.name for field in existing.schema}
    added = [field for field in fields_of(table) if field.name not in have]
    existing.schema = [*existing.schema, *added]
    client.update_table(existing, ["schema"], **REQUEST)


def require_kept(dataset: bigquery.Dataset) -> None:
    """Raise ``Misconfigured`` if new tables inherit an expiration from the dataset.

    https://cloud.google.com/bigquery/docs/managing-partitioned-tables#partition-expiration: a
    partition's time counts from its month, not from its load, so old months go at once.
    """
    name = f"{dataset.project}:{dataset.dataset_id}"
    limits = {
        "tables": dataset.default_table_expiration_ms,
        "partitions": dataset.default_partition_expiration_ms,
    }
    for what, milliseconds in limits.items():
        if milliseconds:
            raise Misconfigured(
                f"Dataset {name} deletes {what} after {milliseconds / _DAY_MS:g} days: new "
                "tables inherit that, and lose their months.",
                "Remove it (`bq update --default_table_expiration 0 "
                f"--default_partition_expiration 0 {name}`); tables that exist keep theirs.",
            )


def _check_kept(existing: bigquery.Table) -> None:
    partitioning = existing.time_partitioning
    if partitioning and partitioning.expiration_ms:
        days = partitioning.expiration_ms / _DAY_MS
        fate, option = f"loses each month {days:g} days after it", "partition_expiration_days"
    elif existing.expires:
        fate, option = f"is deleted on {existing.expires:%Y-%m-%d}", "expiration_timestamp"
    else:
        return
    raise Misconfigured(
        f"Table {existing.full_table_id} {fate}. Nothing was loaded.",
        f"Run `ALTER TABLE {existing.dataset_id}.{existing.table_id} SET OPTIONS ({option} = "
        "NULL)`.",
    )


def _new_table(
    reference: bigquery.TableReference, table: Table, *, filtered: bool
) -> bigquery.Table:
    new = bigquery.Table(reference, schema=fields_of(table))
    new.description = table.description[:_TABLE_DESCRIPTION_LIMIT] or None
    new.labels = {**LABELS, **_dataset_label(table)}
    if table.cluster_by:
        new.clustering_fields = list(table.cluster_by[:_CLUSTERING_LIMIT])
    if table.monthly:
        new.time_partitioning = bigquery.TimePartitioning(
            type_=bigquery.TimePartitioningType.MONTH, field=SOURCE_MONTH
        )
        new.require_partition_filter = filtered
    return new


def _dataset_label(table: Table) -> dict[str, str]:
    return {} if table.dataset is None else {"dataset": table.dataset}


def _check_partitions(existing: bigquery.Table, table: Table) -> None:
    partitioning = existing.time_partitioning
    have = (partitioning.type_, partitioning.field) if partitioning else None
    wanted = ("MONTH", SOURCE_MONTH) if table.monthly else None
    if have != wanted:
        raise TableSchemaConflict(
            f"Table {existing.full_table_id} is partitioned by {have or 'nothing'}, but must be "
            f"partitioned by {wanted or 'nothing'}; BigQuery cannot change that.",
            "Rename or drop the table and load its months again.",
        )
