from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]  # ships no types
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryReadClient, types
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import (
    BigQueryReadGrpcTransport,
)
from google.cloud.storage import Bucket
from google.cloud.storage import Client as StorageClient

from taxi_assets_tests.emulators.bigquery import BigQuery

JANUARY, FEBRUARY = dt.date(2024, 1, 1), dt.date(2024, 2, 1)
SCHEMA = (
    bigquery.SchemaField("source_month", "DATE"),
    bigquery.SchemaField("pickup_at", "DATETIME"),
    bigquery.SchemaField("fare", "FLOAT64"),
)
LAKE = "bigquery-proof"


@pytest.fixture
def client(
    bigquery_emulator: BigQuery, monkeypatch: pytest.MonkeyPatch
) -> Iterator[bigquery.Client]:
    for name, value in bigquery_emulator.environment.items():
        monkeypatch.setenv(name, value)
    with bigquery.Client() as client:  # with the default credentials
        yield client


@pytest.fixture
def table(client: bigquery.Client) -> Iterator[bigquery.Table]:
    dataset = client.create_dataset(f"proof_{uuid.uuid4().hex}")
    table = bigquery.Table(dataset.table("trips"), schema=SCHEMA)
    table.time_partitioning = bigquery.TimePartitioning(type_="MONTH", field="source_month")
    yield client.create_table(table)
    client.delete_dataset(dataset, delete_contents=True)


@pytest.fixture
def bucket(bigquery_emulator: BigQuery, client: bigquery.Client) -> Bucket:
    assert client  # its fixture sets the environment for the emulator
    lake = StorageClient(bigquery_emulator.project, AnonymousCredentials())  # type: ignore[no-untyped-call]  # by Google
    return lake.lookup_bucket(LAKE) or lake.create_bucket(LAKE)


def put(bucket: Bucket, name: str, month: dt.date, fares: Sequence[float | None]) -> str:
    """Store a month of trips, one per second, as Parquet; return its gs:// URI."""
    start = dt.datetime(month.year, month.month, 1)  # noqa: DTZ001 - TLC's times are naive
    pickups = [start + dt.timedelta(seconds=n) for n in range(len(fares))]
    columns = {
        "source_month": pa.array([month] * len(fares), pa.date32()),
        "pickup_at": pa.array(pickups, pa.timestamp("us")),
        "fare": pa.array(fares, pa.float64()),
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    bucket.blob(name).upload_from_string(sink.getvalue())
    return f"gs://{bucket.name}/{name}"


def load(
    client: bigquery.Client, uri: str, table: bigquery.Table, partition: str
) -> bigquery.LoadJob:
    """Replace a partition by the rows at ``uri``."""
    job = client.load_table_from_uri(
        uri,
        f"{table.full_table_id.replace(':', '.')}${partition}",
        job_config=bigquery.LoadJobConfig(
            source_format="PARQUET", write_disposition="WRITE_TRUNCATE"
        ),
    )
    job.result()
    return job


def fares(client: bigquery.Client, table: bigquery.Table) -> dict[dt.date, list[float]]:
    by_month = "SELECT source_month, ARRAY_AGG(fare ORDER BY fare)"
    rows = client.query(f"{by_month} FROM `{table.reference}` GROUP BY 1").result()
    return dict(row.values() for row in rows)


def test_a_partition_is_replaced_and_the_others_are_kept(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    load(client, put(bucket, "a/month=1/trips", JANUARY, [1, 2, 3]), table, "202401")
    load(client, put(bucket, "a/month=2/trips", FEBRUARY, [4]), table, "202402")
    again = load(client, put(bucket, "a/month=1/trips", JANUARY, [5, 6]), table, "202401")
    assert again.output_rows == 2
    assert fares(client, table) == {JANUARY: [5, 6], FEBRUARY: [4]}
    after = client.get_table(table)
    assert after.num_rows == 3
    assert [field.name for field in after.schema] == [field.name for field in SCHEMA]
    assert [t.table_id for t in client.list_tables(table.dataset_id)] == ["trips"]


def test_a_partition_replaced_by_no_rows_is_empty(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    load(client, put(bucket, "b/1", JANUARY, [1]), table, "202401")
    load(client, put(bucket, "b/2", FEBRUARY, [2]), table, "202402")
    load(client, put(bucket, "b/1", JANUARY, []), table, "202401")
    assert fares(client, table) == {FEBRUARY: [2]}


def test_rows_of_another_partition_are_rejected_and_nothing_changes(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    load(client, put(bucket, "c/1", JANUARY, [1]), table, "202401")
    with pytest.raises(BadRequest, match="different partitions"):
        load(client, put(bucket, "c/2", FEBRUARY, [2]), table, "202401")
    assert fares(client, table) == {JANUARY: [1]}


def test_an_invalid_partition_id_is_rejected(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    uri = put(bucket, "d/1", JANUARY, [1])
    for partition in ("20240101", "2024", "january"):
        with pytest.raises(BadRequest, match=partition):
            load(client, uri, table, partition)


def test_a_wildcard_matches_objects_in_subfolders(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    for name in ("e/1.parquet", "e/deep/2.parquet", "e/other.csv"):
        put(bucket, name, JANUARY, [1])
    job = load(client, f"gs://{LAKE}/e/*.parquet", table, "202401")
    assert job.output_rows == 2


@pytest.mark.parametrize("name", ["nowhere/trips", "nowhere/*"])
def test_a_missing_object_is_not_found(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket, name: str
) -> None:
    with pytest.raises(NotFound, match=f"gs://{LAKE}/nowhere"):
        load(client, f"gs://{LAKE}/{name}", table, "202401")


def test_a_partition_can_be_deleted(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    load(client, put(bucket, "f/1", JANUARY, [1]), table, "202401")
    load(client, put(bucket, "f/2", FEBRUARY, [2]), table, "202402")
    client.delete_table(f"{table.full_table_id.replace(':', '.')}$202401")
    assert fares(client, table) == {FEBRUARY: [2]}


def partition_facts(client: bigquery.Client, table: bigquery.Table) -> dict[str, Any]:
    """Partition id → rows and time of the last change."""
    rows = client.query(
        "SELECT partition_id, total_rows, last_modified_time "
        f"FROM `{table.project}.{table.dataset_id}`.INFORMATION_SCHEMA.PARTITIONS "
        f"WHERE table_name = '{table.table_id}'"
    ).result()
    return {each["partition_id"]: (each["total_rows"], each["last_modified_time"]) for each in rows}


def test_a_partition_has_the_time_of_its_last_change(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    began = dt.datetime.now(dt.UTC).replace(microsecond=0)
    load(client, put(bucket, "l/1", JANUARY, [1, 2]), table, "202401")
    first = partition_facts(client, table)
    load(client, put(bucket, "l/2", FEBRUARY, [3]), table, "202402")
    assert first["202401"] == partition_facts(client, table)["202401"]
    assert began <= first["202401"][1] <= dt.datetime.now(dt.UTC)

    january = f"`{table.reference}` SET fare = 9 WHERE source_month = '2024-01-01' AND fare = 1"
    for change in (
        lambda: client.query(f"UPDATE {january}").result(),
        lambda: client.query(
            f"INSERT INTO `{table.reference}` (source_month) VALUES ('2024-01-01')"
        ).result(),
        lambda: load(client, put(bucket, "l/1", JANUARY, [1, 2]), table, "202401"),
    ):
        before = partition_facts(client, table)
        change()
        after = partition_facts(client, table)
        assert after["202401"][1] > before["202401"][1]
        assert after["202402"] == before["202402"]


def test_a_deleted_row_or_partition_changes_the_number_of_rows(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    load(client, put(bucket, "m/1", JANUARY, [1, 2]), table, "202401")
    load(client, put(bucket, "m/2", FEBRUARY, [3]), table, "202402")
    client.query(f"DELETE FROM `{table.reference}` WHERE fare = 1").result()
    assert partition_facts(client, table)["202401"][0] == 1
    client.delete_table(f"{table.full_table_id.replace(':', '.')}$202401")
    assert list(partition_facts(client, table)) == ["202402"]


def test_a_table_created_by_concurrent_requests_is_complete_for_each(
    client: bigquery.Client, table: bigquery.Table
) -> None:
    wanted = bigquery.Table(f"{table.project}.{table.dataset_id}.wanted", schema=SCHEMA)
    wanted.time_partitioning = table.time_partitioning

    def create_and_get(_: int) -> bigquery.Table:
        client.create_table(wanted, exists_ok=True)
        return client.get_table(wanted.reference)

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(create_and_get, range(8)))
    assert {each.time_partitioning.field for each in seen} == {"source_month"}


MONTHLY = bigquery.TimePartitioning(type_="MONTH", field="source_month")


@pytest.mark.parametrize("partition", ["$202401", ""], ids=["partition", "whole table"])
@pytest.mark.parametrize(
    ("partitioning", "clustering", "agrees"),
    [
        (None, None, True),
        (MONTHLY, ["pickup_at"], True),
        (None, ["pickup_at"], False),
        (MONTHLY, None, False),
        (MONTHLY, ["fare"], False),
    ],
)
def test_a_load_names_the_tables_layout_whole_or_not_at_all(
    client: bigquery.Client,
    table: bigquery.Table,
    bucket: Bucket,
    partition: str,
    partitioning: bigquery.TimePartitioning | None,
    clustering: list[str] | None,
    agrees: bool,
) -> None:
    clustered = bigquery.Table(f"{table.reference}_clustered", table.schema)
    clustered.time_partitioning, clustered.clustering_fields = MONTHLY, ["pickup_at"]
    client.create_table(clustered)
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE")
    if partitioning:
        config.time_partitioning = partitioning
    if clustering:
        config.clustering_fields = clustering
    uri, name = put(bucket, "layout/trips", JANUARY, [1]), f"{clustered.reference}{partition}"
    job = client.load_table_from_uri(uri, name, job_config=config)
    if agrees:
        job.result()
        return
    with pytest.raises(BadRequest, match="Incompatible table partitioning specification"):
        job.result()


def test_a_load_into_a_partition_adds_a_column_only_if_allowed(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    wider = pa.table({"source_month": [JANUARY], "fare": [1.0], "cbd_congestion_fee": [0.75]})
    sink = io.BytesIO()
    pq.write_table(wider, sink)
    bucket.blob("g/1").upload_from_string(sink.getvalue())
    destination = f"{table.full_table_id.replace(':', '.')}$202401"
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE")
    with pytest.raises(GoogleAPICallError, match="cbd_congestion_fee"):
        client.load_table_from_uri(f"gs://{LAKE}/g/1", destination, job_config=config).result()
    config.schema_update_options = [bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION]
    client.load_table_from_uri(f"gs://{LAKE}/g/1", destination, job_config=config).result()
    [row] = client.query(f"SELECT fare, cbd_congestion_fee FROM `{table.reference}`").result()
    assert tuple(row) == (1.0, 0.75)


def test_a_column_of_another_type_is_rejected(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    load(client, put(bucket, "i/1", JANUARY, [1]), table, "202401")
    sink = io.BytesIO()
    pq.write_table(pa.table({"source_month": [JANUARY], "fare": ["2"]}), sink)
    bucket.blob("i/2").upload_from_string(sink.getvalue())
    with pytest.raises(BadRequest, match="Field fare has changed type from FLOAT to STRING"):
        load(client, f"gs://{LAKE}/i/2", table, "202401")
    assert fares(client, table) == {JANUARY: [1]}


def test_a_load_that_fails_midway_does_not_change_the_partition(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    strict = bigquery.Table(
        f"{table.project}.{table.dataset_id}.strict",
        schema=[*SCHEMA[:2], bigquery.SchemaField("fare", "FLOAT64", mode="REQUIRED")],
    )
    strict.time_partitioning = table.time_partitioning
    strict = client.create_table(strict)
    load(client, put(bucket, "k/1", JANUARY, [1]), strict, "202401")
    with pytest.raises(GoogleAPICallError, match="fare"):
        load(client, put(bucket, "k/1", JANUARY, [2, None]), strict, "202401")
    assert fares(client, strict) == {JANUARY: [1]}


def test_a_partition_may_be_replaced_by_a_query_of_itself(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    load(client, put(bucket, "j/1", JANUARY, [1, 2, 3]), table, "202401")
    load(client, put(bucket, "j/2", FEBRUARY, [4]), table, "202402")
    client.query(
        f"SELECT * FROM `{table.reference}` WHERE source_month = '2024-01-01' AND fare > 1",
        job_config=bigquery.QueryJobConfig(
            destination=f"{table.full_table_id.replace(':', '.')}$202401",
            write_disposition="WRITE_TRUNCATE",
        ),
    ).result()
    assert fares(client, table) == {JANUARY: [2, 3], FEBRUARY: [4]}


def test_rows_are_read_over_loopback_grpc(
    client: bigquery.Client,
    table: bigquery.Table,
    bucket: Bucket,
    bigquery_emulator: BigQuery,
) -> None:
    load(client, put(bucket, "h/1", JANUARY, [1, 2, 3]), table, "202401")
    with grpc.insecure_channel(bigquery_emulator.grpc_address) as channel:
        reader = BigQueryReadClient(  # type: ignore[no-untyped-call]  # by Google
            transport=BigQueryReadGrpcTransport(channel=channel)
        )
        session = reader.create_read_session(
            parent=f"projects/{table.project}",
            read_session=types.ReadSession(
                table=table.reference.to_bqstorage(), data_format=types.DataFormat.ARROW
            ),
            max_stream_count=1,
        )
        rows = reader.read_rows(session.streams[0].name).to_arrow(session)  # type: ignore[no-untyped-call]  # by Google
    assert sorted(rows["fare"].to_pylist()) == [1, 2, 3]
    assert rows.schema.field("pickup_at").type == pa.timestamp("us")


UNSUPPORTED = {
    "nanoseconds": (pa.array([1000], pa.timestamp("ns")), "DATETIME"),
    "adjusted to UTC": (pa.array([1], pa.timestamp("us", "UTC")), "DATETIME"),
    "null": (pa.nulls(1), "STRING"),
    "float16": (pa.array([0.5], pa.float16()), "FLOAT64"),
    "uint64": (pa.array([1], pa.uint64()), "INT64"),
    "decimal": (pa.array([1], pa.decimal128(5, 2)), "FLOAT64"),
    "time": (pa.array([1], pa.time64("us")), "DATETIME"),
    "integer": (pa.array([1]), "FLOAT64"),
    "double": (pa.array([1.0]), "INT64"),
    "bytes": (pa.array([b"x"]), "STRING"),
    "INT96": (pa.array([1], pa.timestamp("us")), "DATETIME"),
}


def load_column(
    client: bigquery.Client, table: bigquery.Table, column: pa.Array, type_: str, *, int96: bool
) -> bigquery.LoadJob:
    """Load a new table of one column from a file, with a schema."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"value": column}), sink, use_deprecated_int96_timestamps=int96)
    sink.seek(0)
    config = bigquery.LoadJobConfig(
        source_format="PARQUET", schema=[bigquery.SchemaField("value", type_)]
    )
    name = f"{table.project}.{table.dataset_id}.column_{uuid.uuid4().hex}"
    return client.load_table_from_file(sink, name, job_config=config)


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_parquet_type_without_a_conversion_is_refused(
    client: bigquery.Client, table: bigquery.Table, name: str
) -> None:
    column, type_ = UNSUPPORTED[name]
    job = load_column(client, table, column, type_, int96=name == "INT96")
    with pytest.raises(BadRequest, match=r"Parquet column 'value' has type .* not match"):
        job.result()


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        (pa.array([1], pa.int8()), "INT64"),
        (pa.array([1], pa.uint32()), "INT64"),
        (pa.array([0.5], pa.float32()), "FLOAT64"),
        (pa.array([1], pa.timestamp("ms")), "DATETIME"),
        (pa.array(["x"], pa.large_string()), "STRING"),
        (pa.array([1], pa.date32()), "DATE"),
        (pa.array([True]), "BOOL"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else value,
)
def test_the_other_types_are_converted(
    client: bigquery.Client, table: bigquery.Table, column: pa.Array, type_: str
) -> None:
    job = load_column(client, table, column, type_, int96=False)
    job.result()
    assert job.output_rows == 1


def test_a_job_id_is_used_once_also_by_a_job_that_failed(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    job_id = f"once-{uuid.uuid4()}"
    for expected in (NotFound, Conflict):
        with pytest.raises(expected):
            client.load_table_from_uri(
                f"gs://{bucket.name}/nowhere", table.reference, job_id=job_id
            ).result()


@pytest.mark.parametrize("disposition", ["WRITE_TRUNCATE", "WRITE_EMPTY"])
def test_schema_update_options_are_for_appends_and_partitions(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket, disposition: str
) -> None:
    uri = put(bucket, "n/1", JANUARY, [1])
    config = bigquery.LoadJobConfig(
        source_format="PARQUET",
        write_disposition=disposition,
        schema_update_options=[bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION],
    )
    target = str(table.reference) + ("$202401" if disposition == "WRITE_EMPTY" else "")
    with pytest.raises(BadRequest, match="Schema update options should only be specified"):
        client.load_table_from_uri(uri, target, job_config=config).result()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("labels", {"Dataset": "green"}),
        ("labels", {"dataset": "Green trips"}),
        ("labels", {"1st": ""}),
        ("labels", {"a": "b" * 64}),
        ("description", "x" * 16385),
        ("schema", [bigquery.SchemaField("a", "INT64", description="x" * 1025)]),
        ("clustering_fields", ["fare"]),
        ("clustering_fields", ["a", "b", "c", "d", "e"]),
    ],
)
def test_a_table_beyond_a_limit_is_refused(
    client: bigquery.Client, table: bigquery.Table, name: str, value: Any
) -> None:
    letters = [bigquery.SchemaField(letter, "INT64") for letter in "abcde"]
    new = bigquery.Table(f"{table.reference}_limits", [*SCHEMA, *letters])
    setattr(new, name, value)
    with pytest.raises(BadRequest):
        client.create_table(new)


def test_partitions_expire_by_their_month_as_the_dataset_says(
    client: bigquery.Client, table: bigquery.Table, bucket: Bucket
) -> None:
    dataset = client.get_dataset(table.dataset_id)
    dataset.default_partition_expiration_ms = 90 * 86_400_000
    client.update_dataset(dataset, ["default_partition_expiration_ms"])
    kept, lost = table, bigquery.Table(f"{table.reference}_lost", SCHEMA)
    lost.time_partitioning = MONTHLY
    lost = client.create_table(lost)
    assert lost.time_partitioning.expiration_ms == 90 * 86_400_000
    for each in (kept, lost):
        load(client, put(bucket, "o/1", JANUARY, [1]), each, "202401")
    assert (fares(client, kept), fares(client, lost)) == ({JANUARY: [1]}, {})
