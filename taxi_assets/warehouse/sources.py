"""Checks of a Parquet file's footer before it is loaded.

``bigquery_source`` reads the footer of an object in GCS.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.datasets.arrow import ARROW
from taxi_assets.datasets.month import Month
from taxi_assets.errors import AuditFailed, Misconfigured, TableSchemaConflict
from taxi_assets.machine_errors import named_machine_errors
from taxi_assets.warehouse.months import LOADED_MONTHS
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table, table_from_schema
from taxi_assets.wording import one_line

__all__ = ["check_file", "check_month", "footer_of", "unreadable"]


def footer_of(path: Path) -> pq.FileMetaData:
    """The footer of a local file; raises ``AuditFailed`` if it is truncated or not Parquet."""
    try:
        with named_machine_errors(f"Reading {path}"):
            return pq.read_metadata(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(str(path), error) from error


def unreadable(where: str, error: Exception) -> AuditFailed:
    """The error for a damaged Parquet file."""
    return AuditFailed(
        f"{where} cannot be read as Parquet ({one_line(str(error))}). Nothing was loaded.",
        "Run the month again.",
    )


def check_file(table: Table, month: Month | None, footer: pq.FileMetaData, where: str) -> None:
    """Check that the file ``where`` can be loaded into that month, by its footer.

    Raises ``TableSchemaConflict`` for its columns, ``AuditFailed`` for another ``source_month``.
    """
    _check_columns(table, footer, where)
    if month is not None:
        _check_source_month(table, month, footer, where)


def _check_source_month(table: Table, month: Month, footer: pq.FileMetaData, where: str) -> None:
    """Check the footer's statistics of ``source_month``; a file without statistics passes.

    BigQuery's partition accepts any day of the month, but readers filter on the first day.
    """
    at = footer.schema.names.index(SOURCE_MONTH)
    for group in range(footer.num_row_groups):
        facts = footer.row_group(group).column(at).statistics
        if facts is None:
            continue
        days = {facts.min, facts.max} if facts.has_min_max else set()
        days |= {None} if facts.null_count else set()
        if days - {month.first_day}:
            found = ", ".join(sorted(str(day) for day in days - {month.first_day}))
            raise AuditFailed(
                f"Cannot load {table.name} {month}: {where} has rows whose {SOURCE_MONTH} is "
                f"{found}. Nothing was loaded.",
                "The file is of another month: clean the month again.",
            )


def _check_columns(table: Table, footer: pq.FileMetaData, where: str) -> None:
    """Raise ``TableSchemaConflict`` unless the file has exactly the table's columns.

    An engine may fill a column missing in the file with NULL, or ignore one missing in the table,
    without an error (BigQuery does).
    """
    schema = footer.schema.to_arrow_schema()
    found = {
        column.name: column.type
        for column in table_from_schema(table.name, schema, monthly=table.monthly).columns
    }
    wanted = {column.name: column.type for column in table.columns}
    parts = [f"{name} is missing" for name in wanted if name not in found]
    parts += [f"{name} is not a column of the table" for name in found if name not in wanted]
    parts += [
        f"{name} is {found[name]}, expected {type_}"
        for name, type_ in wanted.items()
        if name in found and ARROW[found[name]] != ARROW[type_]  # GEOGRAPHY is in files text
    ]
    if parts:
        raise TableSchemaConflict(
            f"{where} does not fit table {table.name}: {'; '.join(parts)}. Nothing was loaded.",
            "Clean the month again with the current specification.",
        )


def check_month(table: Table, month: Month | None) -> None:
    """Raise ``Misconfigured`` if a monthly table has no month, or any other table has one.

    Also for a table named ``loaded_months``, which the warehouse uses itself.
    """
    if table.name == LOADED_MONTHS.name:
        raise Misconfigured(
            f"The table {table.name} is the warehouse's own record of loaded months.",
            "Give the asset another name.",
        )
    if table.monthly != (month is not None) or (
        table.monthly and SOURCE_MONTH not in table.column_names
    ):
        raise Misconfigured(
            f"Table {table.name} {'is' if table.monthly else 'is not'} monthly, but was loaded "
            f"with {month or 'no month'} and the columns {', '.join(table.column_names)}.",
            f"A monthly table has a {SOURCE_MONTH} column and is loaded a month at a time.",
        )
