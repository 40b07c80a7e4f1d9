"""PostgreSQL only: a server that does not answer, and connections that are cut."""

from __future__ import annotations

import logging
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy

from taxi_assets.errors import StoreUnavailable
from taxi_assets.warehouse import postgres_connection
from taxi_assets.warehouse.postgres import PostgresWarehouse
from taxi_assets.warehouse.postgres_connection import Limits
from taxi_assets_tests.warehouse.months import load, rows_of, trips, zones_of
from taxi_assets_tests.warehouse.silent_proxy import proxy_to

# Where a load may be when the connection goes silent: by what the client has just sent.
_MOMENTS = [
    pytest.param(b"2024-01-02 03:04:05", id="rows"),
    pytest.param(b"ATTACH PARTITION", id="swap"),
    pytest.param(b"COMMIT", id="commit"),
    *(
        pytest.param(sent, id=sent.decode(), marks=pytest.mark.long)
        for sent in (b"set_config", b"COPY", b"CREATE INDEX", b"ANALYZE", b"INSERT INTO")
    ),
]


@pytest.fixture
def warehouse(postgres_url: str) -> PostgresWarehouse:
    return PostgresWarehouse(postgres_url)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up after tenths of a second."""
    for name, seconds in (("SILENT", 0.3), ("DOUBT", 0.1), ("COMMIT", 0.3), ("ASKING", 2)):
        monkeypatch.setattr(postgres_connection, f"_{name}_SECONDS", seconds)
    changing = Limits(lock="2s", statement="50s", idle="500ms")
    monkeypatch.setattr("taxi_assets.warehouse.postgres_load.CHANGING", changing)


def _through(url: str, port: int) -> PostgresWarehouse:
    return PostgresWarehouse(
        sqlalchemy.make_url(url).set(port=port).render_as_string(hide_password=False)
    )


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("moment", _MOMENTS)
def test_a_load_through_a_silent_proxy_ends_and_the_next_one_succeeds(
    warehouse: PostgresWarehouse, postgres_emulator: Any, postgres_url: str, tmp_path: Path,
    moment: bytes,
) -> None:  # fmt: skip
    load(warehouse, tmp_path, trips([1]), version="a")
    with proxy_to(postgres_emulator.port, moment) as proxy:
        through = _through(postgres_url, proxy.port)
        with pytest.raises(StoreUnavailable, match="did not answer for"):
            load(through, tmp_path, trips([2] * 1000), version="b")
        assert proxy.triggered.is_set()
        assert zones_of(warehouse) == [1]
        # The server still holds the connection of the first load.
        load(warehouse, tmp_path, trips([3]), version="c")
    assert zones_of(warehouse) == [3]


@pytest.mark.usefixtures("_impatient")
def test_a_statement_that_the_server_works_on_is_waited_for(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, [])
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "CREATE FUNCTION slow(bigint) RETURNS bigint IMMUTABLE AS "
            "'SELECT pg_sleep(1); SELECT $1' LANGUAGE sql"
        )
        connection.execute("CREATE INDEX ON green_trips (slow(zone))")
    load(warehouse, tmp_path, trips([2]))
    assert zones_of(warehouse) == [2]


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("_impatient")
def test_a_commit_that_waits_for_a_standby_is_not_waited_for(
    postgres_url: str, postgres_emulator: Any, tmp_path: Path
) -> None:
    waiting = PostgresWarehouse(f"{postgres_url}%20-csynchronous_commit%3Don")
    with psycopg.connect(postgres_emulator.url, autocommit=True) as admin:
        _standbys(admin, "none_is_there")
        try:
            with pytest.raises(StoreUnavailable, match="did not answer for"):
                load(waiting, tmp_path, trips([1]))
        finally:
            _standbys(admin, "")


def _standbys(admin: psycopg.Connection, names: str) -> None:
    """Only of sessions that ask for it: the server itself commits asynchronously."""
    admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'".encode())
    admin.execute("SELECT pg_reload_conf()")
    while admin.execute("SHOW synchronous_standby_names").fetchone() != (names,):
        pass


@pytest.mark.parametrize("moment", _MOMENTS)
def test_a_cut_connection_is_one_error_and_no_traceback_in_the_log(
    warehouse: PostgresWarehouse, postgres_emulator: Any, postgres_url: str, tmp_path: Path,
    caplog: pytest.LogCaptureFixture, moment: bytes,
) -> None:  # fmt: skip
    load(warehouse, tmp_path, trips([1]))
    caplog.set_level(logging.WARNING)
    with (
        proxy_to(postgres_emulator.port, moment, "cut") as proxy,
        pytest.raises(StoreUnavailable),
    ):
        load(_through(postgres_url, proxy.port), tmp_path, trips([2] * 1000))
    assert [record for record in caplog.records if record.exc_info] == []
    assert zones_of(warehouse) == [1]


def test_a_reader_whose_connection_is_cut_gets_one_error_and_no_traceback_in_the_log(
    warehouse: PostgresWarehouse, postgres_emulator: Any, postgres_url: str, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    load(warehouse, tmp_path, trips([1]))
    with (
        proxy_to(postgres_emulator.port, b"COPY", "cut") as proxy,
        pytest.raises(StoreUnavailable),
    ):
        rows_of(_through(postgres_url, proxy.port))
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.long  # the driver tries to connect for two seconds at least
@pytest.mark.usefixtures("_impatient")
def test_a_server_that_accepts_connections_and_says_nothing_is_reported(postgres_url: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(StoreUnavailable, match="timeout"),
    ):
        _through(postgres_url, silent.getsockname()[1]).count("green_trips", None)


def test_both_sides_find_out_that_the_other_s_machine_is_gone(
    warehouse: PostgresWarehouse,
) -> None:
    with closing(postgres_connection.connect(warehouse._parameters)) as connection:
        with postgres_connection.transaction(connection, postgres_connection.WORKING):
            query = "SELECT name, setting FROM pg_settings WHERE name LIKE 'tcp_%'"
            of_server: dict[str, str] = dict(connection.execute(query).fetchall())
        of_client = connection.info.get_parameters()
    assert of_server == {
        "tcp_keepalives_idle": "20",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "45000",
    }
    assert (of_client["keepalives_idle"], of_client["tcp_user_timeout"]) == ("20", "45000")
