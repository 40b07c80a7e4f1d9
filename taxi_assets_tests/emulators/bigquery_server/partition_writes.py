"""Atomic writes to one partition, by load, query or copy job.

Unlike local-bigquery's writes to whole tables, these reject a column of another type than the
table's, as BigQuery does, where DuckDB would cast.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import duckdb

from .partition_expiration import expire
from .partitions import Ids, Reference, condition, layout_of
from .upstream import (
    BigQueryError,
    already_exists,
    database,
    models,
    names,
    not_found,
    results,
    tables,
    types,
)

_STAGE = "temp.partition_write"

_write = tables.write


def apply() -> None:
    """Apply the patch."""
    tables.write = write


def write(
    cur: Any,
    query: str,
    params: Any,
    reference: Any,
    config: Any,
    default: str = "WRITE_EMPTY",
    prefix: str = "Invalid schema update. ",
    isolated: bool = False,
) -> bool:
    """Write the rows of ``query`` into the table or partition; return whether a table was created.

    The signature is local-bigquery's.
    """
    if not isinstance(reference, Reference) or reference.partition is None:
        if tables.exists(*reference):
            _agreed_partitioning(reference, config)
        return bool(_write(cur, query, params, reference, config, default, prefix, isolated))
    with (
        database.writing(*reference),
        database.cursor() if isolated else nullcontext(cur) as writer,
    ):
        rows = _staged(cur, query, params)
        if not tables.exists(*reference):
            _into_new_table(rows, reference, config, writer)
            return True
        _into_table(rows, reference, config, default, prefix, writer)
    expire((*reference,))
    return False


@dataclass(frozen=True)
class _Rows:
    """The rows to write, computed once, and the connection that has them."""

    cur: Any
    query: str

    def reject_other_partitions(self, within: str, label: str) -> None:
        others = f"SELECT 1 FROM ({self.query}) WHERE NOT ({within}) LIMIT 1"
        if self.cur.sql(others).fetchone():
            raise BigQueryError(
                "invalid",
                "Some rows belong to different partitions rather than "
                f"destination partition {label}",
            )

    def reject_changed_types(self, ids: Ids, prefix: str) -> None:
        has = {field.name.casefold(): field.type for field in tables.columns(*ids)}
        columns = self.cur.sql(self.query)
        for name, duckdb_type in zip(columns.columns, columns.types, strict=True):
            before, now = has.get(name.casefold()), types.field(name, duckdb_type).type
            if before not in (None, now):
                raise BigQueryError(
                    "invalid", f"{prefix}Field {name} has changed type from {before} to {now}"
                )

    def write(self, table: str, writer: Any, *, append: bool) -> None:
        other = None if writer is self.cur else writer
        results.materialise(self.cur, self.query, table, None, append, other)


def _staged(cur: Any, query: str, params: Any) -> _Rows:
    """The rows of ``query``, stored first, because it may read the partition to be replaced.

    They are kept until the job's connection closes or the session's next job replaces them.
    """
    cur.execute(f"CREATE OR REPLACE TEMP TABLE {_STAGE} AS {query}", params)
    return _Rows(cur, f"SELECT * FROM {_STAGE}")


def _into_new_table(rows: _Rows, reference: Reference, config: Any, writer: Any) -> None:
    label = names.label(*reference)
    layout = _layout(config)
    if config.createDisposition == "CREATE_NEVER":
        raise not_found("Table", label)
    if not layout.timePartitioning:
        raise BigQueryError(
            "invalid",
            f"Table {label} does not exist: loading to ${reference.partition} "
            "needs its time partitioning",
        )
    rows.reject_other_partitions(_within(reference, layout.timePartitioning), _label(reference))
    rows.write(tables.name(*reference), writer, append=False)
    tables.annotate(tuple(reference), layout)


def _into_table(
    rows: _Rows, reference: Reference, config: Any, default: str, prefix: str, writer: Any
) -> None:
    disposition = config.writeDisposition or default
    table = tables.name(*reference)
    within = _within(reference, _agreed_partitioning(reference, config))
    rows.reject_other_partitions(within, _label(reference))
    rows.reject_changed_types(reference, prefix)
    with _transaction(writer):
        if disposition == "WRITE_EMPTY":
            if writer.sql(f"SELECT 1 FROM {table} WHERE {within} LIMIT 1").fetchone():
                raise already_exists("Table", _label(reference))
        elif disposition == "WRITE_TRUNCATE":
            writer.execute(f"DELETE FROM {table} WHERE {within}")
        options = getattr(config, "schemaUpdateOptions", None)
        if options and disposition == "WRITE_EMPTY":
            raise BigQueryError(
                "invalid",
                "Schema update options should only be specified with WRITE_APPEND disposition, or "
                "with WRITE_TRUNCATE disposition on a table partition.",
            )
        tables.evolve(writer, tuple(reference), rows.cur.sql(rows.query), options, prefix)
        rows.write(table, writer, append=True)


def _agreed_partitioning(reference: Reference, config: Any) -> Any:
    """The table's partitioning; a job that names any part of a layout must name the table's."""
    has, job = layout_of(reference), _layout(config)
    if (job.timePartitioning or job.clustering) and _specification(job) != _specification(has):
        raise BigQueryError(
            "invalid",
            "Incompatible table partitioning specification. Expects partitioning specification "
            f"{_specification(has)}, but input partitioning specification is "
            f"{_specification(job)}",
        )
    return has and has.timePartitioning


def _specification(layout: Any) -> str:
    """As BigQuery writes it in its error: ``interval(type:month,field:day) clustering(zone)``."""
    time, clustering = layout and layout.timePartitioning, layout and layout.clustering
    parts = [f"interval(type:{(time.type or 'DAY').lower()},field:{time.field})"] if time else []
    parts += [f"clustering({','.join(clustering.fields)})"] if clustering else []
    return " ".join(parts) or "none"


def _layout(config: Any) -> Any:
    return models.Table.model_validate(
        config.model_dump(include=set(tables.LAYOUT), exclude_none=True)
    )


def _within(reference: Reference, partitioning: Any) -> str:
    assert reference.partition is not None
    return condition(reference, reference.partition, partitioning)


def _label(reference: Reference) -> str:
    return f"{names.label(*reference)}${reference.partition}"


@contextmanager
def _transaction(writer: Any) -> Iterator[None]:
    """A new transaction, or that of the job's session."""
    try:
        writer.execute("BEGIN TRANSACTION")
    except duckdb.TransactionException:
        yield
        return
    try:
        yield
    except BaseException:
        writer.execute("ROLLBACK")
        raise
    writer.execute("COMMIT")
