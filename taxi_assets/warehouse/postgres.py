"""The warehouse on PostgreSQL: a month is loaded into a new table and attached as a partition.

This module has connections, locks and transactions; ``postgres_schema`` has the DDL and
``postgres_copy`` the COPY commands.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

import psycopg
import pyarrow as pa
import sqlalchemy
from psycopg import sql
from sqlalchemy.pool import NullPool
from typing_extensions import override

from taxi_assets.addresses import shown
from taxi_assets.datasets.month import Month
from taxi_assets.errors import Misconfigured, ObjectMissing
from taxi_assets.services import named_errors
from taxi_assets.warehouse import postgres_catalog, postgres_months
from taxi_assets.warehouse.base import Database, Load, Loaded, LoadedMonth
from taxi_assets.warehouse.postgres_copy import copy_in, copy_out
from taxi_assets.warehouse.postgres_errors import POSTGRES
from taxi_assets.warehouse.postgres_schema import (
    QualifiedName,
    check_names,
    columns_of,
    create_incoming,
    ensure_table,
    swap_in,
)
from taxi_assets.warehouse.sources import check_file, check_month, footer_of
from taxi_assets.warehouse.tables import SOURCE_MONTH, read_schema

__all__ = ["PostgresWarehouse"]

_CONNECT_SECONDS = 10
_LOCK_TIMEOUT_SECONDS = 60  # how long a swap waits for readers, and blocks new ones


class PostgresWarehouse(Database):
    """One schema of one database: the first of the connection's ``search_path``.

    ``url`` is an SQLAlchemy URL, such as ``postgresql://loader@host/taxi?sslmode=require`` or
    ``…/taxi?options=-csearch_path%3Dnyc``. The password may be in ``PGPASSWORD`` or a pgpass file
    instead; it is never shown.
    """

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        # Rendered, because SQLAlchemy accepts unquoted passwords that no other parser does.
        rendered = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        self.url = shown(rendered)
        self._engine = sqlalchemy.create_engine(
            parsed,
            poolclass=NullPool,  # a run opens a few connections, each for one transaction
            connect_args={"connect_timeout": _CONNECT_SECONDS},
        )

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[psycopg.Connection]:
        with named_errors(POSTGRES, f"{doing} in {self.url}"):
            raw = self._raw_connection()
            try:
                connection = raw.driver_connection
                assert isinstance(connection, psycopg.Connection)
                with connection.transaction():
                    # So that values are read back whatever the server's or the role's settings.
                    connection.execute("SET LOCAL datestyle = 'ISO, YMD'")
                    connection.execute("SET LOCAL extra_float_digits = 1")
                    connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_SECONDS}s'")
                    yield connection
            finally:
                raw.close()

    def _raw_connection(self) -> sqlalchemy.PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except sqlalchemy.exc.DBAPIError as error:
            # Without SQLAlchemy's message, which may contain the connection's parameters.
            raise error.orig or error from None

    @override
    @contextmanager
    def connection(self) -> Iterator[sqlalchemy.Connection]:
        """See :class:`Database`; one transaction, committed at the end of the block."""
        with named_errors(POSTGRES, f"Connecting to {self.url}"):
            try:
                connection = self._engine.connect()
            except sqlalchemy.exc.DBAPIError as error:
                raise error.orig or error from None  # as in _raw_connection
        with connection, connection.begin():
            yield connection

    @override
    def replace(self, loads: Sequence[Load], month: Month | None) -> list[Loaded]:
        """See :class:`Warehouse`; all tables are replaced in one transaction.

        A query sees the old or the new rows, and a killed process changes nothing. As after
        TRUNCATE, a REPEATABLE READ transaction that started before the swap and first accesses the
        table after it sees an empty month.
        """
        for load in loads:
            check_names(load.table, month)
            check_month(load.table, month)
            path = load.source.path()
            check_file(load.table, month, footer_of(path), str(path))
        doing = f"Loading {', '.join(load.table.name for load in loads)} {month or ''}".rstrip()
        with self._transaction(doing) as connection:
            schema = _schema(connection, self.url)
            for load in sorted(loads, key=_by_table):
                _lock(connection, QualifiedName(schema, load.table.name))
                ensure_table(connection, QualifiedName(schema, load.table.name), load.table)
            if month is not None:  # locked last by every run, so that there is no deadlock
                _lock(connection, postgres_months.months_table(schema))
                postgres_months.ensure_months(connection, schema)
        with self._transaction(doing) as connection:
            return _replace_all(connection, schema, loads, month)

    @override
    @contextmanager
    def read(
        self, table: str, *, months: Sequence[Month] | None, columns: Sequence[str] | None
    ) -> Iterator[pa.RecordBatchReader]:
        """See :class:`Warehouse`; the connection stays open until the block ends."""
        with self._transaction(f"Reading {table}") as connection:
            name = QualifiedName(_schema(connection, self.url), table)
            have = columns_of(connection, name)
            if not have:
                raise ObjectMissing(
                    f"There is no table {table} in {self.url}.",
                    "Materialize its asset first.",
                )
            schema = read_schema(table, have, columns)
            # COPY takes its snapshot before it waits for the table's lock. If the table is swapped
            # during the wait, it would see neither old nor new rows, so wait for the lock first.
            connection.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(name.identifier)
            )
            query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
                sql.SQL(", ").join(map(sql.Identifier, schema.names)),
                name.identifier,
                _condition(months),
            )
            with closing(copy_out(connection, query, schema)) as rows:
                yield pa.RecordBatchReader.from_batches(schema, rows)

    @override
    def count(self, table: str, month: Month | None) -> int:
        """See :class:`Warehouse`."""
        with self._transaction(f"Counting {table}") as connection:
            name = QualifiedName(_schema(connection, self.url), table)
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
        with self._transaction(f"Reading the record of {table} {month}") as connection:
            return postgres_months.loaded(connection, _schema(connection, self.url), table, month)

    @override
    def loaded_months(self, table: str) -> Mapping[Month, LoadedMonth]:
        """See :class:`Warehouse`."""
        with self._transaction(f"Reading the records of {table}") as connection:
            return postgres_months.loaded_months(connection, _schema(connection, self.url), table)

    @override
    def origins(self) -> Collection[str | None]:
        """See :class:`Warehouse`."""
        with self._transaction("Reading the origins of the loaded months") as connection:
            return postgres_months.origins(connection, _schema(connection, self.url))

    @override
    def unrecorded_months(self, table: str) -> list[Month]:
        """See :class:`Warehouse`."""
        with self._transaction(f"Finding unrecorded months of {table}") as connection:
            schema = _schema(connection, self.url)
            return postgres_months.unrecorded_months(connection, schema, table)

    @override
    def tables(self, prefix: str) -> list[str]:
        """See :class:`Warehouse`."""
        with self._transaction("Listing tables") as connection:
            return postgres_catalog.tables(connection, _schema(connection, self.url), prefix)

    @override
    def drop(self, table: str) -> None:
        """See :class:`Warehouse`."""
        with self._transaction(f"Dropping {table}") as connection:
            postgres_catalog.drop(connection, _schema(connection, self.url), table)

    def session(self) -> Mapping[str, str]:
        """See ``postgres_catalog.session``."""
        with self._transaction("Reading the session's settings") as connection:
            return postgres_catalog.session(connection, _schema(connection, self.url))


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


def _replace_all(
    connection: psycopg.Connection, schema: str, loads: Sequence[Load], month: Month | None
) -> list[Loaded]:
    done: dict[str, Loaded] = {}
    # In the order of names, so that two runs never deadlock.
    for load in sorted(loads, key=_by_table):
        started = time.monotonic()
        name = QualifiedName(schema, load.table.name)
        _lock(connection, name.partition(month) if month else name)
        if month is None:
            # Not TRUNCATE, which would block readers until the commit.
            connection.execute(sql.SQL("DELETE FROM {}").format(name.identifier))
            target = name
        else:
            target = create_incoming(connection, name, load.table, month)
        rows = copy_in(connection, target, load.source.path(), load.table.arrow_schema)
        done[load.table.name] = Loaded(rows, time.monotonic() - started, {"schema": schema})
    loaded = [done[load.table.name] for load in loads]
    if month is not None:
        postgres_months.record(connection, schema, loads, loaded, month)
        # After all loads, so that readers wait only for the swaps.
        for load in sorted(loads, key=_by_table):
            swap_in(connection, QualifiedName(schema, load.table.name), month)
    return loaded


def _by_table(load: Load) -> str:
    return load.table.name


def _lock(connection: psycopg.Connection, name: QualifiedName) -> None:
    """Take the run lock of a table or partition; it is released with the transaction."""
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{name.schema}.{name.table}"]
    )


def _schema(connection: psycopg.Connection, url: str) -> str:
    row = connection.execute("SELECT current_schema()").fetchone()
    if row is None or row[0] is None:
        raise Misconfigured(
            f"No schema of the search path exists in {url}.",
            "Create it, or name another one with ?options=-csearch_path%3DSCHEMA.",
        )
    return str(row[0])


def _condition(months: Sequence[Month] | None) -> sql.Composable:
    if months is None:
        return sql.SQL("true")
    days = sql.SQL(", ").join(sql.Literal(month.first_day) for month in months)
    return (
        sql.SQL("{} IN ({})").format(sql.Identifier(SOURCE_MONTH), days)
        if months
        else sql.SQL("false")
    )
