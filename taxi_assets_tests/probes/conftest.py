from __future__ import annotations

from pathlib import Path

import pytest

# Imported, as those of the emulators: this folder tests what others do.
from taxi_assets_tests.automation.conftest import http, smtp
from taxi_assets_tests.warehouse.conftest import bigquery_url, postgres_url, warehouse_url

__all__ = ["bigquery_url", "http", "postgres_url", "smtp", "warehouse_url"]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder for the probes' own files."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder
