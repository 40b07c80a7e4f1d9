"""The warehouse on PostgreSQL: a month is loaded into a new table and attached as a partition.

This module reads; ``postgres_load`` replaces months, ``postgres_connection`` has connections and
transactions, ``postgres_schema`` and ``postgres_partition`` the DDL, ``postgres_copy`` the COPY
commands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import sqlalchemy
from psycopg import sql
from typing_extensions import override

from taxi_assets.addresses import shown
from taxi_assets.datasets.month import Month
from taxi_assets.errors import Misconfigured, ObjectMissing
from taxi_assets.services import named_errors
from taxi_assets.warehouse import postgres_catalog, postgres_months
from taxi_assets.warehouse.base import Database, Load, Loaded, LoadedMonth
from taxi_assets.warehouse.postgres_connection import (
    READING,
    WORKING,
    Connection,
    connect,
    transaction,
)
from taxi_assets.warehouse.postgres_copy import copy_out
from taxi_assets.warehouse.postgres_errors import POSTGRES
from taxi_assets.warehouse.postgres_load import replace_all
from taxi_assets.warehouse.postgres_schema import QualifiedName, check_names, columns_of
from taxi_assets.warehouse.sources import check_file, check_month, footer_of
from taxi_assets.warehouse.tables import SOURCE_MONTH, read_schema

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = ["PostgresWarehouse"]


class PostgresWarehouse(Database):
    """One schema of one database: the first of the connection's ``search_path``.

    ``url`` is an SQLAlchemy URL, such as ``postgresql://loader@host/taxi?sslmode=require`` or
    ``…/taxi?options=-csearch_path%3Dnyc``. The password may be in ``PGPASSWORD`` or a pgpass file
    instead; it is never shown.
    """

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        _, self._parameters = parsed.get_dialect()().create_connect_args(parsed)
        # Rendered, because SQLAlchemy accepts unquoted passwords that no other parser does.
        rendered = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        self.url = shown(rendered)

    @contextmanager
    def _connected(self, doing: str) -> Iterator[Connection]:
        with (
            named_errors(POSTGRES, f"{doing} in {self.url}"),
            closing(connect(self._parameters)) as connection,
        ):
            yield connection

    @contextmanager
    def _reading(self, doing: str) -> Iterator[tuple[Connection, str]]:
        """A short transaction, or one that reads, and the schema."""
        with self._connected(doing) as connection, transaction(connection, READING) as schema:
            yield connection, schema

    @override
    @contextmanager
    def connection(self) -> Iterator[sqlalchemy.Connection]:
        """See :class:`Database`; one transaction, committed at the end of the block."""
        engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect(self._parameters),
            poolclass=sqlalchemy.NullPool,
        )
        with named_errors(POSTGRES, f"Connecting to {self.url}"):
            try:
                connection = engine.connect()
            except sqlalchemy.exc.DBAPIError as error:
                # Without SQLAlchemy's message, which may contain the connection's parameters.
                raise error.orig or error from None
        with connection, connection.begin():
            yield connection

    @override
    def replace(self, loads: Sequence[Load], month: Month | None) -> list[Loaded]:
        """See :class:`Warehouse`; all tables are replaced in one transaction.

        A query sees the old or the new rows, and a killed process changes nothing that readers see.
        As after TRUNCATE, a REPEATABLE READ transaction that started before the swap and first
        accesses the table after it sees an empty month.
        """
        for load in loads:
            check_names(load.table, month)
            check_month(load.table, month)
            path = load.source.path()
            check_file(load.table, month, footer_of(path), str(path))
        doing = f"Loading {', '.join(load.table.name for load in loads)} {month or ''}".rstrip()
        with self._connected(doing) as connection:
            return replace_all(connection, f"{doing} in {self.url}", loads, month)

    @override
    @staticmethod
    def geography_text(outline: BaseGeometry) -> str:
        """Hexadecimal WKB, which PostGIS casts to its types; PostgreSQL itself has none."""
        return str(outline.wkb_hex)

    @override
    @contextmanager
    def read(
        self, table: str, *, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> Iterator[pa.RecordBatchReader]:
        """See :class:`Warehouse`; the connection stays open until the block ends."""
        with self._reading(f"Reading {table}") as (connection, schema):
            name = QualifiedName(schema, table)
            have = columns_of(connection, name)
            if not have:
                raise ObjectMissing(
                    f"There is no table {table} in {self.url}.",
                    "Materialize its asset first.",
                )
            fields = read_schema(table, have, columns)
            # COPY takes its snapshot before it waits for the table's lock. If the table is swapped
            # during the wait, it would see neither old nor new rows, so wait for the lock first.
            connection.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(name.identifier)
            )
            query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
                sql.SQL(", ").join(map(sql.Identifier, fields.names)),
                name.identifier,
                _condition(months),
            )
            with closing(copy_out(connection, query, fields)) as rows:
                yield pa.RecordBatchReader.from_batches(fields, rows)

    @override
    def count(self, table: str, month: Month | None) -> int:
        """See :class:`Warehouse`."""
        with self._reading(f"Counting {table}") as (connection, schema):
            name = QualifiedName(schema, table)
            if not columns_of(connection, name):
                return 0
            row = connection.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
                    name.identifier, _condition(None if month is None else [month])
                )
            ).fetchone()
            return int(row[0]) if row else 0

    @override
    def loaded(self, table: str, month: Month) -> LoadedMonth | None:
        """See :class:`Warehouse`."""
        with self._reading(f"Reading the record of {table} {month}") as (connection, schema):
            return postgres_months.loaded(connection, schema, table, month)

    @override
    def loaded_months(self, table: str) -> Mapping[Month, LoadedMonth]:
        """See :class:`Warehouse`."""
        with self._reading(f"Reading the records of {table}") as (connection, schema):
            return postgres_months.loaded_months(connection, schema, table)

    @override
    def origins(self) -> Collection[str | None]:
        """See :class:`Warehouse`."""
        with self._reading("Reading the origins of the loaded months") as (connection, schema):
            return postgres_months.origins(connection, schema)

    @override
    def unrecorded_months(self, table: str) -> list[Month]:
        """See :class:`Warehouse`."""
        with self._reading(f"Finding unrecorded months of {table}") as (connection, schema):
            return postgres_months.unrecorded_months(connection, schema, table)

    @override
    def tables(self, prefix: str) -> list[str]:
        """See :class:`Warehouse`."""
        with self._reading("Listing tables") as (connection, schema):
            return postgres_catalog.tables(connection, schema, prefix)

    @override
    def drop(self, table: str) -> None:
        """See :class:`Warehouse`."""
        with self._reading(f"Dropping {table}") as (connection, schema):
            postgres_catalog.drop(connection, schema, table)

    def session(self) -> Mapping[str, str]:
        """See ``postgres_catalog.session``: that of a load."""
        doing = "Reading the settings of a load"
        with self._connected(doing) as connection, transaction(connection, WORKING) as schema:
            return postgres_catalog.session(connection, schema)


def _parsed(url: str) -> sqlalchemy.URL:
    try:
        parsed = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
    except (sqlalchemy.exc.ArgumentError, ValueError):  # its text may quote the password
        parsed = None
    # After an unquoted @ in the password, its rest would be looked up as a host.
    if parsed is None or "@" in (parsed.host or ""):
        raise Misconfigured(
            f"TAXI_WAREHOUSE_URL is {shown(url)}, which is not a PostgreSQL URL.",
            "Use postgresql://user:password@host:port/database, and write %40 for @ and %2F for / "
            "in a password.",
        )
    return parsed


def _condition(months: Sequence[Month] | None) -> sql.Composable:
    if months is None:
        return sql.SQL("true")
    days = sql.SQL(", ").join(sql.Literal(month.first_day) for month in months)
    return (
        sql.SQL("{} IN ({})").format(sql.Identifier(SOURCE_MONTH), days)
        if months
        else sql.SQL("false")
    )
