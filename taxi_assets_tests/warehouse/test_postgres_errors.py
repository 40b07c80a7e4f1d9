"""PostgreSQL only: what its error codes mean, provoked where a server of our own can."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy
from psycopg import errors

from taxi_assets.datasets.spec import Type
from taxi_assets.errors import (
    AuditFailed,
    Misconfigured,
    StoreUnavailable,
    TableSchemaConflict,
    TaxiAssetsError,
    UncastableValue,
)
from taxi_assets.services import named_errors
from taxi_assets.warehouse.base import Load, Source
from taxi_assets.warehouse.postgres import PostgresWarehouse
from taxi_assets.warehouse.postgres_errors import POSTGRES
from taxi_assets.warehouse.tables import Table, TableColumn
from taxi_assets_tests.warehouse.catalogs import execute
from taxi_assets_tests.warehouse.months import JANUARY, Row, load, rows_of, trip, trips, zones_of


@pytest.fixture
def warehouse(postgres_url: str) -> PostgresWarehouse:
    return PostgresWarehouse(postgres_url)


@pytest.mark.parametrize(
    ("error", "meaning", "remedy"),
    [
        (errors.QueryCanceled, StoreUnavailable, "Try later"),
        (errors.IdleInTransactionSessionTimeout, StoreUnavailable, "Try later"),
        (errors.TransactionTimeout, StoreUnavailable, "Try later"),
        (errors.AdminShutdown, StoreUnavailable, "Try later"),
        (errors.SerializationFailure, StoreUnavailable, "Try later"),
        (errors.ObjectInUse, StoreUnavailable, "Try later"),
        (errors.TooManyConnections, StoreUnavailable, "Try later"),
        (errors.DiskFull, StoreUnavailable, "Free space"),
        (errors.ConfigurationLimitExceeded, Misconfigured, "Raise that limit"),
        (errors.IoError, StoreUnavailable, "Try later"),
        (errors.UndefinedFile, Misconfigured, "damaged"),
        (errors.DataCorrupted, Misconfigured, "damaged"),
        (errors.IndexCorrupted, Misconfigured, "damaged"),
        (errors.InternalError_, AuditFailed, "unchanged"),
        (errors.FeatureNotSupported, AuditFailed, "unchanged"),
        (errors.TooManyColumns, Misconfigured, "exceeds"),
        (errors.ProgramLimitExceeded, Misconfigured, "exceeds"),
        (errors.ReadOnlySqlTransaction, Misconfigured, "connect to the primary"),
        (errors.InvalidPassword, Misconfigured, "password"),
        (errors.UntranslatableCharacter, Misconfigured, "UTF8"),
        (errors.UniqueViolation, AuditFailed, "constraint"),
        (errors.DependentObjectsStillExist, TableSchemaConflict, "on its table instead"),
    ],
)
def test_a_code_has_its_meaning(
    error: type[psycopg.Error], meaning: type[TaxiAssetsError], remedy: str
) -> None:
    with pytest.raises(meaning, match=remedy) as caught, named_errors(POSTGRES, "Loading"):
        raise error("what the server said")
    assert type(caught.value) is meaning


def test_a_row_that_two_sessions_changed_at_once_is_transient() -> None:
    with pytest.raises(StoreUnavailable), named_errors(POSTGRES, "Loading"):
        raise errors.InternalError_("tuple concurrently updated")


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("permission denied for schema nyc", "USAGE and CREATE on the schema"),
        ("must be owner of table green_trips", r"ALTER TABLE … OWNER TO …"),
    ],
)
def test_a_missing_privilege_and_another_owner_are_told_apart(message: str, remedy: str) -> None:
    with pytest.raises(Misconfigured, match=remedy), named_errors(POSTGRES, "Loading"):
        raise errors.InsufficientPrivilege(message)


@pytest.fixture
def impatient_url(postgres_url: str) -> Iterator[str]:
    """A role whose timeouts end every statement and transaction at once."""
    ((schema,),) = execute(postgres_url, "SELECT current_schema()")
    role = f"impatient_{schema}"
    execute(postgres_url, f"CREATE ROLE {role} LOGIN SUPERUSER")
    for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        execute(postgres_url, f"ALTER ROLE {role} SET {name} = '50ms'")
    yield sqlalchemy.make_url(postgres_url).set(username=role).render_as_string(False)
    execute(postgres_url, f"DROP OWNED BY {role}")
    execute(postgres_url, f"DROP ROLE {role}")


def test_a_role_s_timeouts_end_no_load_and_no_read(impatient_url: str, tmp_path: Path) -> None:
    warehouse = PostgresWarehouse(impatient_url)
    many = trips(range(40_000))
    assert load(warehouse, tmp_path, many) == len(many)
    with warehouse.read("green_trips", months=None, columns=None) as reader:
        assert reader.read_all().num_rows == len(many)


@pytest.mark.parametrize("year", [10_000, 70_000, 294_246, 0, -44])
def test_a_year_that_no_reader_knows_is_refused_and_nothing_is_loaded(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path, year: int
) -> None:
    table = Table("days", "", (TableColumn("at", Type.TIMESTAMP),), monthly=False)
    load(warehouse, tmp_path, [{"at": None}], None, table)
    days = (year - 1970) * 365.2425 + 30
    times = pa.array([int(days * 86_400_000_000)], pa.int64()).cast(pa.timestamp("us"))
    path = tmp_path / "days.parquet"
    pq.write_table(pa.table({"at": times}), path)
    with pytest.raises(UncastableValue, match=r"Column at of .* outside of the years 1 to"):
        warehouse.replace([Load(table, Source(lambda: path))], None)
    assert rows_of(warehouse, "days") == [{"at": None}]
    assert execute(postgres_url, "SELECT relname FROM pg_class WHERE relname ~ '^incoming'") == []


def test_the_first_and_the_last_day_are_loaded(
    warehouse: PostgresWarehouse, tmp_path: Path
) -> None:
    table = Table("days", "", (TableColumn("day", Type.DATE),), monthly=False)
    rows: list[Row] = [{"day": date(1, 1, 1)}, {"day": date(9999, 12, 31)}, {"day": None}]
    load(warehouse, tmp_path, rows, None, table)
    assert rows_of(warehouse, "days") == rows


@pytest.fixture
def latin_url(postgres_emulator: Any) -> Iterator[str]:
    """A database that does not store Unicode."""
    with psycopg.connect(postgres_emulator.url, autocommit=True) as admin:
        admin.execute(
            "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
        yield (
            sqlalchemy.make_url(postgres_emulator.url).set(database="latin").render_as_string(False)
        )
        admin.execute("DROP DATABASE latin WITH (FORCE)")


def test_text_is_the_same_in_a_database_of_another_encoding(latin_url: str, tmp_path: Path) -> None:
    warehouse = PostgresWarehouse(latin_url)
    load(warehouse, tmp_path, [trip(1, note="Straße")])
    assert execute(latin_url, "SELECT length(note) FROM green_trips") == [(6,)]
    assert [row["note"] for row in rows_of(warehouse)] == ["Straße"]
    with pytest.raises(Misconfigured, match="encoding is UTF8"):
        load(warehouse, tmp_path, [trip(1, note="上海")])


def test_a_read_only_server_is_told_as_what_it_is(postgres_url: str, tmp_path: Path) -> None:
    standby = PostgresWarehouse(f"{postgres_url}%20-cdefault_transaction_read_only%3Don")
    with pytest.raises(Misconfigured, match="primary"):
        load(standby, tmp_path, trips([1]))


def test_rows_that_do_not_satisfy_a_user_s_constraint_are_not_of_another_month(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    execute(postgres_url, "ALTER TABLE green_trips ADD CONSTRAINT few CHECK (zone < 10)")
    with pytest.raises(AuditFailed, match=r'"few".*has a constraint'):
        load(warehouse, tmp_path, trips([1, 11]))
    assert zones_of(warehouse, [JANUARY]) == [1]
