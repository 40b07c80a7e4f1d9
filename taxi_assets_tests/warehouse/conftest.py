"""Fixtures for an empty warehouse of each engine."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from taxi_assets.warehouse.base import Warehouse
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets_tests.warehouse.catalogs import bigquery_client

ENGINES = ("duckdb", "bigquery", "postgres")


@pytest.fixture(params=ENGINES)
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty warehouse that no other test uses."""
    if request.param == "duckdb":
        yield f"duckdb:///{tmp_path / 'taxi.duckdb'}"
    else:
        yield request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def warehouse(warehouse_url: str) -> Warehouse:
    return open_warehouse(warehouse_url)


@pytest.fixture
def bigquery_url(bigquery_emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new dataset on the emulator."""
    for name, value in bigquery_emulator.environment.items():
        monkeypatch.setenv(name, value)
    project = os.environ["GOOGLE_CLOUD_PROJECT"]
    dataset = f"nyc_{uuid.uuid4().hex[:12]}"
    with bigquery_client(project) as client:
        client.create_dataset(dataset)
        yield f"bigquery://{project}/{dataset}"
        client.delete_dataset(dataset, delete_contents=True)


@pytest.fixture
def postgres_url(postgres_emulator: Any) -> Iterator[str]:
    """A new schema in the emulator's database."""
    url = postgres_emulator.url
    schema = f"nyc_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A loopback port on which nothing listens; bound, so that no other process uses it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])
