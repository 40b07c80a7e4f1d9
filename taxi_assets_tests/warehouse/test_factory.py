"""URLs of warehouses, valid and invalid ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

from taxi_assets.errors import Misconfigured
from taxi_assets.warehouse.factory import open_warehouse


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("duckdb:////data/taxi.duckdb", "duckdb:////data/taxi.duckdb"),
        ("bigquery://my-project/nyc?location=EU", "bigquery://my-project/nyc"),
        ("postgresql://me:secret@db:5432/taxi", "postgresql://db:5432/taxi"),
        ("postgresql://me:a/b@db/taxi?options=-csearch_path%3Dnyc", "postgresql://db/taxi"),
        ("postgresql+psycopg://me@db/taxi", "postgresql://db/taxi"),
    ],
)
def test_a_warehouse_has_its_url_without_password(url: str, shown: str) -> None:
    assert open_warehouse(url).url == shown


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@host/taxi",
        "taxi.duckdb",
        "duckdb://taxi.duckdb",
        "duckdb:///",
        "bigquery://project",
        "bigquery://project/dataset/table",
        "bigquery://project/dataset?region=EU",
        "bigquery://project/dataset?require_partition_filter=maybe",
    ],
)
def test_an_invalid_url_is_misconfigured(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        open_warehouse(url)
    assert "secret" not in str(caught.value)


def test_the_error_for_a_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [name for name in sys.modules if name.startswith("taxi_assets.warehouse.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(Misconfigured, match=r"pip install 'taxi-assets\[postgres\]'"):
        open_warehouse("postgresql://me@db/taxi")


def test_duckdb_does_not_import_clients_of_servers() -> None:
    program = (
        "import sys; from taxi_assets.warehouse.factory import open_warehouse;"
        "open_warehouse('duckdb:///x.duckdb').count('trips', None);"
        "print([name for name in ('google', 'boto3', 'psycopg', 'sqlalchemy', 'dagster')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
