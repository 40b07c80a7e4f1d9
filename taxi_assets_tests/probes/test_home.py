"""The home, Dagster's records and the logs of the runs are probed as Dagster opens them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from taxi_assets.instance import prepared
from taxi_assets.probes.home import HomeProbes
from taxi_assets.probes.names import new_name
from taxi_assets.settings import Settings
from taxi_assets_tests.lake import lakes
from taxi_assets_tests.probes.reports import Report, probed

RECORDS, LOGS = "dagster: records of the runs", "dagster: logs of the runs"


def probe(files: Path, **env: str) -> Report:
    return probed(HomeProbes(Settings.from_env(env), new_name(), files).group())


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``DAGSTER_HOME`` with a ``dagster.yaml``, which ``configure`` writes."""
    home = tmp_path / "server"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


def configure(home: Path, **settings: object) -> None:
    (home / "dagster.yaml").write_text(json.dumps(settings))  # JSON is YAML


def test_a_user_without_a_name_is_named_by_number(
    tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs as ``--user 10001``."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    report = probe(files, TAXI_HOME=str(tmp_path / "home"))
    assert report.texts["home: who am I"].startswith(f"user {os.geteuid()} on ")


def test_records_that_exist_are_opened(
    tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = tmp_path / "home"
    prepared(Settings.from_env({"TAXI_HOME": str(home)})).dispose()
    before = sorted(home.rglob("*"))
    report = probe(files, TAXI_HOME=str(home))
    assert report.well
    assert report.texts[RECORDS] == f"0 runs in SqliteRunStorage of {home}/dagster"
    assert report.texts[LOGS] == "written, read and deleted by LocalComputeLogManager"
    assert {path for path in sorted(home.rglob("*")) if path not in before} <= {
        home / "dagster/storage"
    }


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs Linux's /sys")
def test_a_home_that_cannot_be_written_is_named(files: Path) -> None:
    """In ``/sys`` not even root makes a file."""
    report = probe(files, TAXI_HOME="/sys/taxi", TAXI_SCRATCH="/sys/scratch")
    assert report.failed.keys() == {"home: TAXI_HOME", "home: TAXI_SCRATCH"}
    for text in report.failed.values():
        assert "Let this user write there or choose another folder" in text
    assert report.skipped.keys() == {RECORDS, LOGS}


def test_a_configuration_that_dagster_refuses_is_named(server: Path, files: Path) -> None:
    configure(server, run_coordinator=3)
    assert f"Dagster's records in {server} cannot be opened" in probe(files).failed[RECORDS]


def test_the_cause_of_a_refusal_is_named_without_secrets(
    server: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: str) -> None:
        try:
            raise ValueError("postgresql://me:hush@db/records: no such role")
        except ValueError as error:
            raise RuntimeError("too many retries") from error

    monkeypatch.setattr(dg.DagsterInstance, "from_config", refuse)
    text = probe(files).failed[RECORDS]
    assert "(ValueError: postgresql://db/records: no such role)" in text


def test_records_in_postgres_are_reached(
    server: Path, files: Path, postgres_emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(server, storage={"postgres": {"postgres_url": {"env": "RECORDS_URL"}}})
    with psycopg.connect(postgres_emulator.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE records")
    found = postgres_emulator.url.replace("postgresql:", "postgresql+psycopg2:")
    monkeypatch.setenv("RECORDS_URL", found.removesuffix("/postgres") + "/records")
    assert probe(files).texts[RECORDS].startswith("0 runs in PostgresRunStorage of")


def test_the_logs_bucket_is_written_read_and_emptied(
    server: Path, files: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakes.fresh_lake("gcs", files, request, monkeypatch)
    bucket = lakes.bucket_of("gcs")
    before = lakes.keys_by_hand(f"gs://{bucket}/dagster")
    monkeypatch.setenv("TAXI_LOGS_BUCKET", bucket)
    configure(
        server,
        compute_logs={
            "module": "dagster_gcp.gcs",
            "class": "GCSComputeLogManager",
            "config": {"bucket": {"env": "TAXI_LOGS_BUCKET"}, "local_dir": str(files)},
        },
    )
    report = probe(files)
    assert report.failed == {}
    assert report.texts[LOGS] == f"written, read and deleted by GCSComputeLogManager {bucket}"
    assert lakes.keys_by_hand(f"gs://{bucket}/dagster") == before


def test_a_missing_logs_bucket_is_named(
    server: Path, files: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakes.fresh_lake("gcs", files, request, monkeypatch)
    configure(
        server,
        compute_logs={
            "module": "dagster_gcp.gcs",
            "class": "GCSComputeLogManager",
            "config": {"bucket": "nowhere-at-all"},
        },
    )
    text = probe(files).failed[LOGS]
    assert "GCSComputeLogManager nowhere-at-all failed" in text
    assert "roles/storage.legacyBucketReader on the bucket" in text
