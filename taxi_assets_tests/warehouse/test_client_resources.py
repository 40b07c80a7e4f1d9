"""The clients of lake and warehouse as resources, which users' own assets use too."""

# Without annotations as strings: Dagster finds an asset's resources by their types.

from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import psycopg
import pytest
import sqlalchemy
from dagster_gcp import BigQueryResource, GCSResource
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from taxi_assets.datasets.month import Month
from taxi_assets.definitions import build_definitions
from taxi_assets.errors import Misconfigured
from taxi_assets.gcp_clients import GoogleBigQuery
from taxi_assets.lake.factory import open_store
from taxi_assets.settings import Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets.warehouse.bigquery import BigQueryWarehouse
from taxi_assets.warehouse.database import DatabaseResource
from taxi_assets_tests.assets.platform import Platform, failures
from taxi_assets_tests.lake.lakes import fresh_lake

SEEN: list[Any] = []


@dg.asset
def objects(gcs: GCSResource) -> None:
    SEEN.extend(blob.name for blob in gcs.get_client().list_blobs(SEEN.pop()))


@dg.asset
def rows(bigquery: BigQueryResource) -> None:
    with bigquery.get_client() as client:
        SEEN.extend(row["trips"] for row in client.query(SEEN.pop()))


@dg.asset
def frame(database: DatabaseResource) -> None:
    with database.get_connection() as connection:
        pd.DataFrame({"fare": [1.5, 2.5]}).to_sql("fares", connection, index=False)


@dg.asset
def table(database: DatabaseResource) -> None:
    with database.get_connection() as connection:
        connection.execute("CREATE TABLE fares AS SELECT unnest([1.5, 2.5]) AS fare")


def _run(platform: Platform, asset: dg.AssetsDefinition) -> None:
    result = platform.run(f"key:{asset.key.to_user_string()}")
    assert result.success, failures(result)


def test_an_asset_uses_the_clients_of_cloud_storage_and_bigquery_as_lake_and_warehouse_do(
    tmp_path: Path,
    tlc: Simulator,
    bigquery_url: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake = fresh_lake("gcs", tmp_path, request, monkeypatch)
    platform = Platform(
        tmp_path,
        tlc.url,
        more=[objects, rows],
        TAXI_LAKE_URL=lake,
        TAXI_WAREHOUSE_URL=bigquery_url,
    )
    tlc.publish("green", Month(2024, 1))
    platform.month("green", "2024-01")
    bucket, _, prefix = lake.removeprefix("gs://").partition("/")

    SEEN[:] = [bucket]
    _run(platform, objects)
    assert any(name.startswith(f"{prefix}/trips/green/") for name in SEEN)

    dataset = bigquery_url.removeprefix("bigquery://").replace("/", ".")
    SEEN[:] = [f"SELECT COUNT(*) AS trips FROM `{dataset}.green_trips`"]
    _run(platform, rows)
    stored = platform.metadata("green/warehouse_trips", "2024-01")
    assert [stored["dagster/partition_row_count"]] == SEEN


def test_lake_and_warehouse_use_the_same_resources(tmp_path: Path) -> None:
    """``nested_resources`` is also what the UI shows on the page of a resource."""
    settings = Settings.from_env(
        {"TAXI_LAKE_URL": "gs://lake", "TAXI_WAREHOUSE_URL": "bigquery://p/d"}
    )
    google = build_definitions(settings).resources or {}
    assert google["lake"].nested_resources == {"gcs": google["gcs"]}
    assert google["warehouse"].nested_resources == {
        "gcs": google["gcs"],
        "bigquery": google["bigquery"],
    }
    embedded = build_definitions(Settings.from_env({"TAXI_HOME": str(tmp_path)})).resources or {}
    assert embedded["lake"].nested_resources == {}
    assert embedded["warehouse"].nested_resources == {"database": embedded["database"]}
    assert not {"gcs", "bigquery"} & embedded.keys()


def test_a_client_of_another_gcs_resource_makes_the_requests_of_lake_and_warehouse() -> None:
    clients: list[str] = []

    class Own(GCSResource):
        def get_client(self) -> Any:
            clients.append(str(self.project))
            return storage.Client(project=self.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # by Google

    open_store("gs://lake", Own(project="lake"))
    _ = BigQueryWarehouse("p", "d", gcs=Own(project="footers"))._storage
    assert clients == ["lake", "footers"]


def test_an_asset_writes_a_frame_to_postgresql(
    tmp_path: Path, tlc: Simulator, postgres_url: str
) -> None:
    _run(Platform(tmp_path, tlc.url, more=[frame], TAXI_WAREHOUSE_URL=postgres_url), frame)
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT fare FROM fares ORDER BY 1").fetchall() == [
            (1.5,),
            (2.5,),
        ]


def test_an_asset_queries_the_duckdb_file(tmp_path: Path, tlc: Simulator) -> None:
    platform = Platform(tmp_path, tlc.url, more=[table])
    _run(platform, table)
    with duckdb.connect(str(platform.warehouse), read_only=True) as connection:
        assert connection.execute("SELECT sum(fare) FROM fares").fetchall() == [(4.0,)]


def test_a_postgresql_that_refuses_the_login_is_named_without_its_password(
    postgres_url: str,
) -> None:
    parsed = sqlalchemy.make_url(postgres_url).set(username="nobody", password="s3cret")
    database = DatabaseResource(url=parsed.render_as_string(hide_password=False))
    with pytest.raises(Misconfigured, match="nobody") as raised, database.get_connection():
        pass
    assert "s3cret" not in str(raised.value)


def test_a_key_in_the_configuration_of_bigquery_is_refused() -> None:
    resource = GoogleBigQuery(project="p", gcp_credentials="a2V5")
    with pytest.raises(Misconfigured, match="gcp_credentials"), resource.get_client():
        pass
