"""BigQuery only: its tables' properties, and loading months from a lake on GCS."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from taxi_assets import retry_policy
from taxi_assets.datasets.spec import Type
from taxi_assets.errors import (
    AuditFailed,
    ConcurrentWrite,
    Misconfigured,
    StoreUnavailable,
    TableSchemaConflict,
)
from taxi_assets.lake.store import LakeObject, sha256_of
from taxi_assets.warehouse import bigquery_load
from taxi_assets.warehouse.base import Load, Source, Warehouse
from taxi_assets.warehouse.bigquery_jobs import start_load
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.warehouse.tables import TableColumn
from taxi_assets_tests.warehouse.months import (
    FEBRUARY,
    JANUARY,
    TRIPS,
    Row,
    load,
    parquet,
    rows_of,
    trip,
    trips,
    zones_of,
)

Put = Callable[[list[Row]], Source]


@pytest.fixture
def warehouse(bigquery_url: str) -> Warehouse:
    return open_warehouse(bigquery_url)


@pytest.fixture
def client(bigquery_url: str) -> bigquery.Client:
    project, _, dataset = bigquery_url.removeprefix("bigquery://").partition("/")
    return bigquery.Client(
        project,
        AnonymousCredentials(),  # type: ignore[no-untyped-call]  # by Google
        default_query_job_config=bigquery.QueryJobConfig(
            default_dataset=bigquery.DatasetReference(project, dataset)
        ),
    )


@pytest.fixture
def put(
    gcs_emulator: Any, bigquery_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Put]:
    """Store rows under one name in a new bucket; the engine gets no local file."""
    for name, value in gcs_emulator.environment.items():
        monkeypatch.setenv(name, value)
    storage_client = storage.Client("local", AnonymousCredentials())  # type: ignore[no-untyped-call]
    bucket = storage_client.create_bucket(f"lake-{uuid.uuid4().hex[:12]}")

    def not_called() -> Path:
        raise AssertionError("the file was downloaded")

    def put_rows(rows: list[Row]) -> Source:
        path = parquet(tmp_path / "lake", rows).path()
        blob = bucket.blob("trips/trips.parquet")
        blob.upload_from_filename(str(path))
        stored = LakeObject(
            f"gs://{bucket.name}/{blob.name}",
            blob.name,
            path.stat().st_size,
            str(blob.generation),
            sha256_of(path),
            len(rows),
        )
        return Source(not_called, stored)

    yield put_rows
    bucket.delete(force=True)


def _table(client: bigquery.Client, bigquery_url: str) -> bigquery.Table:
    dataset = bigquery_url.rpartition("/")[2]
    return client.get_table(f"{dataset}.green_trips")


def test_tables_are_documented_partitioned_and_clustered(
    warehouse: Warehouse, client: bigquery.Client, bigquery_url: str, tmp_path: Path
) -> None:
    long = replace(TRIPS.columns[0], description="é" * 2000)
    wordy = replace(TRIPS, columns=(long, *TRIPS.columns[1:]), dataset="green")
    for _ in range(2):  # a load must not remove these properties
        load(warehouse, tmp_path, trips([1]), table=wordy)
        table = _table(client, bigquery_url)
        descriptions = [field.description or "" for field in table.schema]
        assert descriptions == ["é" * 1024, *(c.description for c in TRIPS.columns[1:])]
        assert table.description == TRIPS.description
        assert table.labels == {"managed_by": "taxi_assets", "dataset": "green"}
        assert table.clustering_fields == ["pickup_at", "zone"]
        assert table.time_partitioning.type_ == "MONTH"
        assert table.time_partitioning.field == "source_month"
        assert table.schema[0].field_type == "DATETIME"
        assert not table.require_partition_filter


def test_long_descriptions_and_many_clustering_columns_are_cut_to_the_limits(
    warehouse: Warehouse, client: bigquery.Client, bigquery_url: str, tmp_path: Path
) -> None:
    columns = ("zone", "note", "pickup_at", "shared", "source_month")
    load(
        warehouse, tmp_path, [], table=replace(TRIPS, description="é" * 20_000, cluster_by=columns)
    )
    table = _table(client, bigquery_url)
    assert table.description == "é" * 16_384
    assert table.clustering_fields == list(columns[:4])


def test_tables_may_require_a_partition_filter(
    client: bigquery.Client, bigquery_url: str, tmp_path: Path
) -> None:
    warehouse = open_warehouse(f"{bigquery_url}?require_partition_filter=true")
    load(warehouse, tmp_path, trips([1]))
    load(warehouse, tmp_path, trips([2], FEBRUARY), FEBRUARY)
    assert _table(client, bigquery_url).require_partition_filter
    assert warehouse.count("green_trips", None) == 2
    assert warehouse.count("green_trips", FEBRUARY) == 1
    assert zones_of(warehouse) == [1, 2]
    assert zones_of(warehouse, [FEBRUARY]) == [2]


def test_a_month_in_gcs_is_loaded_from_there(warehouse: Warehouse, put: Put) -> None:
    for zones in ([1, 2, 3], [4], []):
        (loaded,) = warehouse.replace([Load(TRIPS, put(trips(zones)))], JANUARY)
        assert loaded.rows == len(zones)
        assert zones_of(warehouse) == zones
        assert int(loaded.details["input_bytes"]) > 0
        assert str(loaded.details["job_id"]) in str(loaded.details["console"])


def test_an_object_that_another_run_replaced_is_not_loaded(warehouse: Warehouse, put: Put) -> None:
    warehouse.replace([Load(TRIPS, put(trips([1])))], JANUARY)
    ours = put(trips([2]))
    put(trips([3]))
    with pytest.raises(ConcurrentWrite, match="generation"):
        warehouse.replace([Load(TRIPS, ours)], JANUARY)
    assert zones_of(warehouse) == [1]


def test_an_object_that_is_replaced_while_it_is_loaded_is_noticed(
    warehouse: Warehouse, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced_and_started(*arguments: Any) -> Any:
        put(trips([3]))  # by another run, between our look at the object and the job's
        return start_load(*arguments)

    ours = put(trips([2]))
    with monkeypatch.context() as patch:
        patch.setattr(bigquery_load, "start_load", replaced_and_started)
        with pytest.raises(ConcurrentWrite, match="generation"):
            warehouse.replace([Load(TRIPS, ours, "a")], JANUARY)
    assert warehouse.loaded(TRIPS.name, JANUARY) is None
    assert warehouse.split_months([TRIPS.name]).keys() == {JANUARY}


def test_a_lost_connection_to_the_object_is_a_transient_error(
    warehouse: Warehouse, put: Put, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "FIRST_DELAY_SECONDS", 0.001)
    ours = put(trips([2]))
    get_blob = storage.Bucket.get_blob

    def found_and_lost(*arguments: Any, **options: Any) -> Any:
        blob = get_blob(*arguments, **options)
        monkeypatch.setattr(
            blob.client._connection, "API_BASE_URL", f"http://127.0.0.1:{unused_port}"
        )
        return blob

    monkeypatch.setattr(storage.Bucket, "get_blob", found_and_lost)
    with pytest.raises(StoreUnavailable, match="Try later"):
        warehouse.replace([Load(TRIPS, ours)], JANUARY)


def test_a_truncated_object_is_not_loaded(warehouse: Warehouse, put: Put) -> None:
    warehouse.replace([Load(TRIPS, put(trips([1])))], JANUARY)
    good = put(trips([2]))
    assert good.stored is not None
    bucket, _, name = good.stored.uri.removeprefix("gs://").partition("/")
    storage_client = storage.Client("local", AnonymousCredentials())  # type: ignore[no-untyped-call]
    blob = storage_client.bucket(bucket).blob(name)
    blob.upload_from_string(blob.download_as_bytes()[:-20])
    cut = replace(good.stored, version=str(blob.generation))
    with pytest.raises(AuditFailed, match="Parquet"):
        warehouse.replace([Load(TRIPS, Source(good.path, cut))], JANUARY)
    assert zones_of(warehouse) == [1]


def test_a_table_with_other_partitions_is_rejected(
    warehouse: Warehouse, client: bigquery.Client, tmp_path: Path
) -> None:
    client.query("CREATE TABLE green_trips (zone INT64)").result()
    with pytest.raises(TableSchemaConflict, match="partitioned by nothing"):
        load(warehouse, tmp_path, trips([1]))


@pytest.mark.parametrize("what", ["table", "partition"])
def test_tables_that_would_lose_their_months_are_rejected(
    warehouse: Warehouse, client: bigquery.Client, bigquery_url: str, tmp_path: Path, what: str
) -> None:
    dataset = client.get_dataset(bigquery_url.rpartition("/")[2])
    setattr(dataset, f"default_{what}_expiration_ms", 90 * 86_400_000)
    client.update_dataset(dataset, [f"default_{what}_expiration_ms"])
    with pytest.raises(Misconfigured, match=f"deletes {what}s after 90 days.*bq update"):
        load(warehouse, tmp_path, trips([1]))
    assert list(client.list_tables(dataset)) == []


@pytest.mark.parametrize("what", ["table", "partition"])
def test_a_table_that_loses_its_months_is_not_loaded(
    warehouse: Warehouse, client: bigquery.Client, bigquery_url: str, tmp_path: Path, what: str
) -> None:
    load(warehouse, tmp_path, trips([1]))
    table = _table(client, bigquery_url)
    if what == "table":
        table.expires = datetime.now(UTC) + timedelta(days=90)
        client.update_table(table, ["expires"])
    else:
        table.time_partitioning.expiration_ms = 100 * 365 * 86_400_000
        client.update_table(table, ["time_partitioning"])
    with pytest.raises(Misconfigured, match=r"Nothing was loaded. Run `ALTER TABLE .* = NULL\)"):
        load(warehouse, tmp_path, trips([2]))
    assert zones_of(warehouse) == [1]


def test_a_column_that_another_run_adds_first_is_there(
    warehouse: Warehouse, client: bigquery.Client, bigquery_url: str, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, trips([1]))
    extra = TableColumn("tip", Type.FLOAT, "Tip.")
    wider = replace(TRIPS, columns=(*TRIPS.columns, extra))
    update_table = bigquery.Client.update_table

    def outrun(self: bigquery.Client, table: bigquery.Table, *rest: Any, **options: Any) -> Any:
        update_table(self, table, *rest, **options)
        return update_table(self, table, *rest, **options)  # with the ETag from before

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bigquery.Client, "update_table", outrun)
        load(warehouse, tmp_path, [trip(2) | {"tip": 0.5}], table=wider)
    assert rows_of(warehouse, columns=["tip"]) == [{"tip": 0.5}]
    assert _table(client, bigquery_url).schema[-1].description == "Tip."


def test_another_location_than_the_dataset_s_is_rejected(bigquery_url: str, tmp_path: Path) -> None:
    warehouse = open_warehouse(f"{bigquery_url}?location=EU")
    with pytest.raises(Misconfigured, match=r"is in US, not in EU"):
        load(warehouse, tmp_path, trips([1]))


def test_the_error_for_a_missing_dataset_names_the_command(
    bigquery_url: str, tmp_path: Path
) -> None:
    warehouse = open_warehouse(f"{bigquery_url}_missing")
    for attempt in (
        lambda: load(warehouse, tmp_path, trips([1])),
        lambda: warehouse.count("green_trips", None),
        lambda: rows_of(warehouse),
    ):
        with pytest.raises(Misconfigured, match="bq --location"):
            attempt()
