"""The probes of a warehouse pass on every engine, leave nothing, and say what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
import sqlalchemy
from google.cloud import bigquery

from taxi_assets.addresses import warehouse_address
from taxi_assets.probes.bigquery import BigQueryProbes, loads_from
from taxi_assets.probes.names import PREFIX, new_name
from taxi_assets.probes.postgres import PostgresProbes
from taxi_assets.probes.probe import Group, run_probes
from taxi_assets.probes.warehouse import WarehouseProbes
from taxi_assets.warehouse import duckdb_file
from taxi_assets.warehouse.base import Source
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.warehouse.postgres import PostgresWarehouse
from taxi_assets_tests.lake import gcs_stub, lakes
from taxi_assets_tests.probes.reports import Report, probed
from taxi_assets_tests.warehouse.catalogs import bigquery_client, execute, tables_of
from taxi_assets_tests.warehouse.months import load, trips
from taxi_assets_tests.warehouse.test_duckdb_errors import another_process

OLD = f"{PREFIX}202401020304_abc123"
LEFTOVERS = "warehouse: leftovers of killed checks"
ALL = {
    "warehouse: list tables",
    "warehouse: load a month of 3 rows",
    "warehouse: count",
    "warehouse: record of the month",
    "warehouse: load a month of 0 rows",
    "warehouse: load the month again",
    "warehouse: add a column",
    "warehouse: read",
    "warehouse: drop",
}


def group(url: str, files: Path) -> Group:
    address = warehouse_address(url)
    return WarehouseProbes(
        lambda: open_warehouse(url), new_name(), files, _local, file=address.path
    ).group()


def _local(path: Path) -> Source:
    return Source(lambda: path)


def probe(url: str, files: Path) -> Report:
    return probed(group(url, files))


@pytest.mark.parametrize("warehouse_url", ["duckdb", "postgres"], indirect=True)
def test_nothing_is_left_where_nothing_was(warehouse_url: str, files: Path) -> None:
    """On BigQuery: ``test_check``."""
    report = probe(warehouse_url, files)
    assert report.failed == {}
    assert report.verdicts.keys() == ALL
    assert tables_of(warehouse_url) == []
    assert not (Path(warehouse_url.removeprefix("duckdb:///"))).exists()


def test_months_and_their_records_are_left_alone(
    warehouse_url: str, files: Path, tmp_path: Path
) -> None:
    warehouse = open_warehouse(warehouse_url)
    load(warehouse, tmp_path / "month", trips([1, 2]), version="1")
    for name in (OLD, new_name()):
        execute(warehouse_url, f"CREATE TABLE {name} (x bigint)")
    before = tables_of(warehouse_url)
    report = probe(warehouse_url, files)
    assert report.well
    assert report.verdicts.keys() == ALL | {LEFTOVERS}
    assert report.texts[LEFTOVERS] == f"{OLD} dropped"
    assert tables_of(warehouse_url) == [name for name in before if name != OLD]
    assert execute(warehouse_url, "SELECT count(*) FROM green_trips") == [(2,)]
    records = execute(warehouse_url, "SELECT DISTINCT table_name FROM loaded_months")
    assert [tuple(row) for row in records] == [("green_trips",)]


@pytest.mark.parametrize("last", ["warehouse: load a month of 3", "warehouse: add a column"])
def test_nothing_is_left_after_ctrl_c(last: str, tmp_path: Path, files: Path) -> None:
    def interrupt(line: str) -> None:
        if last in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_probes([group(f"duckdb:///{tmp_path}/a/b.duckdb", files)], interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


def test_a_table_that_another_program_changes_is_named(
    tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"duckdb:///{tmp_path}/b.duckdb"
    replace = duckdb_file.DuckDBWarehouse.replace

    def changed(self: Any, loads: Any, month: Any) -> Any:
        loaded = replace(self, loads, month)
        execute(url, f"DELETE FROM {loads[0].table.name} WHERE yes")
        return loaded

    monkeypatch.setattr(duckdb_file.DuckDBWarehouse, "replace", changed)
    report = probe(url, files)
    assert "have 2 and 0 rows instead of 3 and 0" in report.failed["warehouse: count"]
    assert "does not match its rows" in report.failed["warehouse: record of the month"]
    assert "instead of" in report.failed["warehouse: read"]
    assert "default expiration or a trigger" in report.failed["warehouse: read"]


def test_a_file_that_another_process_has_open_is_named(
    tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "taxi.duckdb"
    monkeypatch.setattr(duckdb_file, "_timed_out", {path})  # it does not wait for a minute
    duckdb.connect(str(path)).close()
    with another_process(path, "writes"):
        report = probe(f"duckdb:///{path}", files)
    assert "while one process writes" in report.failed["warehouse: list tables"]
    assert report.skipped.keys() == (
        ALL - {"warehouse: list tables", "warehouse: drop"} | {LEFTOVERS}
    )


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs Linux's /sys")
def test_a_file_that_cannot_be_made_is_named(files: Path) -> None:
    """In ``/sys`` not even root makes a file."""
    report = probe("duckdb:////sys/taxi.duckdb", files)
    assert report.failed.keys() == {"warehouse: load a month of 3 rows"}
    assert "Let this user write there" in str(report.failed)


@contextmanager
def role(url: str, *settings: str) -> Iterator[str]:
    """The URL for a new role that may use the schema, with these of its settings."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT current_schema()").fetchone()
        assert row is not None
        name = f"loader_{row[0]}"
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'hush'".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {row[0]} TO {name}".encode())
        for setting in settings:
            connection.execute(f"ALTER ROLE {name} SET {setting}".encode())
        try:
            parsed = sqlalchemy.make_url(url).set(username=name, password="hush")
            yield parsed.render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP OWNED BY {name}".encode())
            connection.execute(f"DROP ROLE {name}".encode())


def test_the_role_database_schema_and_version_are_named(postgres_url: str) -> None:
    with role(postgres_url) as url:
        report = probed(Group(PostgresProbes(url).probes()))
    text = report.texts["warehouse: who am I"]
    ((schema, version),) = execute(
        postgres_url, "SELECT current_schema(), current_setting('server_version')"
    )
    assert text == f"loader_{schema} in schema {schema} of database postgres, PostgreSQL {version}"
    assert "hush" not in str(report)
    assert report.well


def test_a_role_without_the_right_to_create_is_named(postgres_url: str, files: Path) -> None:
    with role(postgres_url) as url:
        report = probe(url, files)
    assert report.failed.keys() == {"warehouse: load a month of 3 rows"}
    assert "USAGE and CREATE on the schema" in str(report.failed)
    assert tables_of(postgres_url) == []


def test_a_role_that_may_not_write_the_records_of_others_is_named(
    postgres_url: str, files: Path, tmp_path: Path
) -> None:
    load(open_warehouse(postgres_url), tmp_path / "month", trips([1]))
    with role(postgres_url) as url:
        execute(postgres_url, "DO $$ BEGIN EXECUTE format('GRANT CREATE ON SCHEMA %I TO %I', "
                "current_schema(), 'loader_' || current_schema()); END $$")  # fmt: skip
        report = probe(url, files)
    assert report.failed.keys() >= {"warehouse: load a month of 3 rows"}
    assert "loaded_months" in str(report.failed)


@pytest.mark.parametrize(
    ("limits", "remedy"),
    [
        ({"statement_timeout": "1min"}, "SET statement_timeout = 0`, or set at least 30min."),
        ({"transaction_timeout": "90s"}, "SET transaction_timeout = 0`, or set at least 30min."),
        (
            {"idle_in_transaction_session_timeout": "500ms"},
            "SET idle_in_transaction_session_timeout = 0`, or set at least 1min.",
        ),
    ],
)
def test_a_time_limit_that_ends_a_load_is_named(
    monkeypatch: pytest.MonkeyPatch, limits: dict[str, str], remedy: str
) -> None:
    found = {
        **dict.fromkeys(("user", "database", "schema", "version"), "taxi"),
        **dict.fromkeys(
            ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"), "0"
        ),
    }
    monkeypatch.setattr(PostgresWarehouse, "session", lambda _: found | limits)
    url = "postgresql://taxi@127.0.0.1/taxi"
    report = probed(Group(PostgresProbes(url).probes()))
    assert 'ALTER ROLE "taxi" IN DATABASE "taxi" ' + remedy in str(report.failed)
    monkeypatch.setattr(PostgresWarehouse, "session", lambda _: found | dict.fromkeys(limits, "2h"))
    assert probed(Group(PostgresProbes(url).probes())).well


def test_the_limits_of_a_session_are_read_from_the_server(postgres_url: str) -> None:
    """A limit of the role is either in force and named, or the platform sets its own."""
    with role(postgres_url, "statement_timeout = '90s'") as url:
        found = PostgresWarehouse(url).session()
    assert found["statement_timeout"] in ("90s", "0")
    assert found["transaction_timeout"] == "0"


@pytest.mark.usefixtures("bigquery_url")
def test_a_missing_dataset_is_named() -> None:
    report = of_dataset("bigquery://local/nowhere")
    assert "bq --location=LOCATION mk --dataset" in report.failed["warehouse: dataset"]
    assert report.skipped.keys() == {
        "warehouse: no default expiration",
        "warehouse: location of the bucket",
    }


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        ("default_table_expiration_ms", "deletes tables after 60 days"),
        ("default_partition_expiration_ms", "deletes partitions after 60 days"),
    ],
)
def test_a_default_expiration_is_named(bigquery_url: str, limit: str, text: str) -> None:
    with dataset_like(bigquery_url, **{limit: 60 * 86_400_000}) as url:
        failed = of_dataset(url).failed["warehouse: no default expiration"]
    assert text in failed
    assert "bq update --default_table_expiration 0 --default_partition_expiration 0" in failed


def test_a_dataset_in_another_location_than_the_bucket_is_named(bigquery_url: str) -> None:
    """The emulated bucket is in US-CENTRAL1."""
    with dataset_like(bigquery_url, location="EU") as url:
        failed = of_dataset(url).failed["warehouse: location of the bucket"]
    assert "is in US-CENTRAL1 and dataset" in failed
    assert "Create the dataset in US-CENTRAL1, or the bucket in EU" in failed
    with dataset_like(bigquery_url, location="us-central1") as url:
        assert of_dataset(url).well


def test_a_bucket_whose_location_may_not_be_read_is_named(
    bigquery_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stub refuses its bucket's metadata, as GCS does to ``roles/storage.objectUser``."""
    with gcs_stub.running() as stub:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", stub.url)
        probes = BigQueryProbes(warehouse_address(bigquery_url), gcs_stub.BUCKET).probes()
        failed = probed(Group(probes)).failed["warehouse: location of the bucket"]
    assert "storage.buckets.get on gs://lake: roles/storage.legacyBucketReader" in failed


@pytest.mark.parametrize(
    ("bucket", "kind", "dataset", "loads"),
    [
        ("US", "multi-region", "US", True),
        ("EU", "multi-region", "eu", True),
        ("US-CENTRAL1", "region", "us-central1", True),
        ("ASIA-EAST1", "region", "US", True),  # the US multi-region loads from anywhere
        ("EUROPE-WEST1", "region", "EU", True),
        ("EUROPE-WEST2", "region", "EU", False),  # London
        ("US", "multi-region", "EU", False),
        ("US", "multi-region", "us-central1", False),
        ("US-EAST1", "region", "us-central1", False),
        ("NAM4", "dual-region", "us-central1", True),
    ],
)
def test_locations_are_compared_as_bigquery_does(
    bucket: str, kind: str, dataset: str, loads: bool
) -> None:
    assert loads_from(bucket, kind, dataset) is loads


def of_dataset(url: str) -> Report:
    """The report of the dataset, for a lake in a bucket of the emulator."""
    bucket = lakes.bucket_of("gcs")
    return probed(Group(BigQueryProbes(warehouse_address(url), bucket).probes()))


@contextmanager
def dataset_like(url: str, **properties: Any) -> Iterator[str]:
    """Another dataset of the project, with these properties."""
    with bigquery_client(warehouse_address(url).project) as client:
        made = bigquery.Dataset(f"{client.project}.{new_name()}")
        for name, value in properties.items():
            setattr(made, name, value)
        client.create_dataset(made)
        try:
            yield f"bigquery://{client.project}/{made.dataset_id}"
        finally:
            client.delete_dataset(made)
