"""PostgreSQL only: what users made stays when a month is replaced, or is named with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy

from taxi_assets.errors import Misconfigured, StoreUnavailable, TableSchemaConflict
from taxi_assets.warehouse.postgres import PostgresWarehouse
from taxi_assets.warehouse.postgres_connection import Limits
from taxi_assets_tests.warehouse.catalogs import execute
from taxi_assets_tests.warehouse.months import FEBRUARY, load, trips, zones_of

PARTITION = "green_trips_202401"


@pytest.fixture
def warehouse(postgres_url: str) -> PostgresWarehouse:
    return PostgresWarehouse(postgres_url)


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """A role that may log in and create tables in the schema."""
    ((schema,),) = execute(postgres_url, "SELECT current_schema()")
    name = f"loader_{schema}"
    execute(postgres_url, f"CREATE ROLE {name} LOGIN")
    execute(postgres_url, f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {name}")
    yield name
    execute(postgres_url, f"DROP OWNED BY {name}")
    execute(postgres_url, f"DROP ROLE {name}")


def _as(url: str, role: str) -> PostgresWarehouse:
    return PostgresWarehouse(
        sqlalchemy.make_url(url).set(username=role).render_as_string(hide_password=False)
    )


def _indexes(url: str, table: str) -> list[str]:
    """The definitions, without names."""
    rows = execute(url, f"SELECT indexdef FROM pg_indexes WHERE tablename = '{table}'")
    return sorted(str(definition).partition(" USING ")[2] for (definition,) in rows)


def test_a_month_has_a_brin_index_of_its_pickup_times_and_statistics(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1, 2, 2]))
    assert _indexes(postgres_url, PARTITION) == ["brin (pickup_at)"]
    found = execute(
        postgres_url,
        "SELECT n_distinct FROM pg_stats WHERE schemaname = current_schema() "
        f"AND tablename = '{PARTITION}' AND attname = 'zone'",
    )
    assert found
    assert execute(
        postgres_url, f"SELECT reltuples FROM pg_class WHERE oid = '{PARTITION}'::regclass"
    ) == [(3,)]


def test_a_dropped_index_of_the_table_is_not_made_again(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    execute(postgres_url, "DROP INDEX green_trips_pickup_at_idx")
    load(warehouse, tmp_path, trips([2]))
    assert _indexes(postgres_url, PARTITION) == []


def test_indexes_and_constraints_of_the_table_and_of_the_month_alone_are_kept(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    execute(postgres_url, 'CREATE INDEX "Fares, rounded" ON green_trips (round(fare) DESC)')
    execute(postgres_url, "ALTER TABLE green_trips ADD PRIMARY KEY (zone, source_month)")
    execute(postgres_url, f"CREATE INDEX of_month ON {PARTITION} (note) WHERE note IS NOT NULL")
    execute(postgres_url, f"ALTER TABLE {PARTITION} ADD CONSTRAINT low CHECK (fare < 100)")
    wanted = _indexes(postgres_url, PARTITION)
    assert len(wanted) == 4
    for zone in (2, 3):
        load(warehouse, tmp_path, trips([zone]))
        assert _indexes(postgres_url, PARTITION) == wanted
    names = "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid "
    rows = execute(postgres_url, f"{names} WHERE indrelid = '{PARTITION}'::regclass")
    assert all(len(str(name)) < 50 for (name,) in rows), "a load adds to the earlier load's name"
    with pytest.raises(psycopg.errors.CheckViolation):
        execute(postgres_url, f"UPDATE {PARTITION} SET fare = 200")


def test_grants_and_the_comment_of_a_month_are_kept(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path, role: str
) -> None:
    load(warehouse, tmp_path, trips([1]))
    execute(postgres_url, f"GRANT SELECT ON {PARTITION} TO {role} WITH GRANT OPTION")
    execute(postgres_url, f"GRANT UPDATE (fare, note) ON {PARTITION} TO PUBLIC")
    execute(postgres_url, f"COMMENT ON TABLE {PARTITION} IS 'Audited by ''Ann'''")
    kept = (
        "SELECT relacl::text, (SELECT array_agg(attacl::text ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = pg_class.oid), obj_description(pg_class.oid) FROM pg_class "
        f"WHERE oid = '{PARTITION}'::regclass"
    )
    before = execute(postgres_url, kept)
    load(warehouse, tmp_path, trips([2]))
    assert execute(postgres_url, kept) == before
    assert zones_of(warehouse) == [2]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (f"CREATE VIEW january AS SELECT * FROM {PARTITION}", "view january"),
        (
            f"CREATE MATERIALIZED VIEW january AS SELECT zone FROM {PARTITION}",
            "materialized view january",
        ),
        (
            f"CREATE FUNCTION f() RETURNS SETOF {PARTITION} LANGUAGE plpgsql AS 'BEGIN END'",
            r"function f\(\)",
        ),
        (f"CREATE STATISTICS related ON zone, fare FROM {PARTITION}", "statistics object related"),
        (f"CREATE POLICY own ON {PARTITION} USING (true)", "policy own"),
        (f"ALTER TABLE {PARTITION} ENABLE ROW LEVEL SECURITY", "row-level security"),
        (
            f"CREATE TRIGGER quiet BEFORE UPDATE ON {PARTITION} FOR EACH ROW "
            "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "trigger quiet",
        ),
    ],
)
def test_what_depends_on_a_month_alone_is_named_before_rows_are_copied(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path, statement: str, named: str
) -> None:
    load(warehouse, tmp_path, trips([1]))
    execute(postgres_url, statement)
    with pytest.raises(TableSchemaConflict, match=f"depend on it: .*{named}.*Define them on"):
        load(warehouse, tmp_path, trips([2]))
    assert zones_of(warehouse) == [1]
    load(warehouse, tmp_path, trips([3], FEBRUARY), FEBRUARY)


def test_a_view_of_the_table_does_not_prevent_a_load(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    execute(postgres_url, "CREATE VIEW zones AS SELECT zone FROM green_trips")
    load(warehouse, tmp_path, trips([2]))
    assert execute(postgres_url, "SELECT zone FROM zones") == [(2,)]


def test_the_error_for_a_table_of_another_owner_says_so(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path, role: str
) -> None:
    load(warehouse, tmp_path, trips([1]))
    for table in ("green_trips", PARTITION, "loaded_months"):
        execute(postgres_url, f"GRANT ALL ON {table} TO {role}")
    with pytest.raises(Misconfigured, match=r"green_trips is owned by the role postgres.*OWNER TO"):
        load(_as(postgres_url, role), tmp_path, trips([2]))


def test_a_member_of_the_owner_s_role_loads_and_the_month_has_the_same_owner(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path, role: str
) -> None:
    load(warehouse, tmp_path, trips([1]))
    group = f"{role}_group"
    ((schema,),) = execute(postgres_url, "SELECT current_schema()")
    execute(postgres_url, f"CREATE ROLE {group}")
    execute(postgres_url, f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {group}")
    try:
        for table in ("green_trips", PARTITION, "loaded_months"):
            execute(postgres_url, f"ALTER TABLE {table} OWNER TO {group}")
        execute(postgres_url, f"GRANT {group} TO {role}")
        load(_as(postgres_url, role), tmp_path, trips([2]))
        owners = f"SELECT tableowner FROM pg_tables WHERE tablename = '{PARTITION}'"
        assert execute(postgres_url, owners) == [(group,)]
        assert zones_of(warehouse) == [2]
    finally:
        execute(postgres_url, f"DROP OWNED BY {group}")
        execute(postgres_url, f"DROP ROLE {group}")


@pytest.fixture
def _left(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version b of January, copied, but not swapped in because of a reader."""
    load(warehouse, tmp_path, trips([1]), version="a")
    with monkeypatch.context() as patch, psycopg.connect(postgres_url) as reader:
        patch.setattr("taxi_assets.warehouse.postgres_load.CHANGING", Limits(lock="100ms"))
        patch.setattr("taxi_assets.warehouse.postgres_tries._TRY_SECONDS", 0)
        reader.execute("SELECT FROM green_trips")
        with pytest.raises(StoreUnavailable, match="are kept for the next attempt"):
            load(warehouse, tmp_path, trips([2]), version="b")
    assert zones_of(warehouse) == [1]


def _incoming(url: str) -> list[Any]:
    found = execute(
        url,
        "SELECT oid FROM pg_class WHERE relname LIKE 'incoming%' AND relkind = 'r' "
        "AND relnamespace = current_schema()::regnamespace",
    )
    return [oid for (oid,) in found]


@pytest.mark.usefixtures("_left")
def test_the_next_load_of_the_version_uses_the_copied_rows(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    (copied,) = _incoming(postgres_url)
    (mark,) = execute(postgres_url, f"SELECT obj_description({copied}, 'pg_class')")
    assert "green_trips 2024-01, version b" in str(mark)
    execute(postgres_url, "CREATE INDEX ON green_trips (note)")  # after the rows were copied
    load(warehouse, tmp_path, trips([2]), version="b")
    assert zones_of(warehouse) == [2]
    assert execute(postgres_url, f"SELECT '{PARTITION}'::regclass::oid") == [(copied,)]
    assert execute(postgres_url, f"SELECT obj_description({copied}, 'pg_class')") == [(None,)]
    assert _indexes(postgres_url, PARTITION) == ["brin (pickup_at)", "btree (note)"]
    assert _incoming(postgres_url) == []


@pytest.mark.usefixtures("_left")
@pytest.mark.parametrize("version", ["c", None])
def test_the_next_load_of_another_version_drops_the_copied_rows(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path, version: str | None
) -> None:
    load(warehouse, tmp_path, trips([3]), version=version)
    assert zones_of(warehouse) == [3]
    assert _incoming(postgres_url) == []


@pytest.mark.usefixtures("_left")
def test_copied_rows_of_a_load_that_is_still_running_are_left_alone(
    warehouse: PostgresWarehouse, postgres_url: str, tmp_path: Path
) -> None:
    copied = _incoming(postgres_url)
    with psycopg.connect(postgres_url) as running:
        running.execute(
            "SELECT pg_advisory_lock(hashtextextended(current_schema() || '.' || relname, 0)) "
            "FROM pg_class WHERE oid = ANY(%s)",
            [copied],
        )
        load(warehouse, tmp_path, trips([2]), version="b")
        assert _incoming(postgres_url) == copied
    load(warehouse, tmp_path, trips([4]), version="d")
    assert _incoming(postgres_url) == []
