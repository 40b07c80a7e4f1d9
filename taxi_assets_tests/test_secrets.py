"""A secret in a setting is in no error and not in the UI.

``faults.canaries`` runs months with each of these settings in processes of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

import pytest

from taxi_assets import retry_policy
from taxi_assets.automation.channels import open_channels
from taxi_assets.datasets import Month
from taxi_assets.definitions import build_definitions
from taxi_assets.errors import TaxiAssetsError
from taxi_assets.lake.factory import open_store
from taxi_assets.settings import Notify, Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets_tests.faults.canaries import CANARY, Case, cases, run_case
from taxi_assets_tests.test_commands import command

# The snapshot of the repository, which the UI shows.
SHOWN = """
import dagster as dg
from dagster._core.remote_representation.external_data import RepositorySnap
from taxi_assets.definitions import defs
repository = defs().get_repository_def()
print(dg.serialize_value(RepositorySnap.from_def(repository)))
"""
# Clients that wait between attempts, and the source's own tests.
SLOW = ("TLC", "GCS, credentials, a key")


def shown(**env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SHOWN],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_ui_shows_the_variables_name_where_an_address_may_hold_a_password(
    tmp_path: Path,
) -> None:
    page = shown(
        TAXI_HOME=str(tmp_path),
        TAXI_LAKE_URL="s3://trips",
        AWS_SECRET_ACCESS_KEY=CANARY,
        TAXI_WAREHOUSE_URL=f"postgresql://taxi:{CANARY}@127.0.0.1:1/taxi?sslpassword={CANARY}",
        TAXI_TLC_URL=f"http://reader:{CANARY}@127.0.0.1:1/",
        TAXI_TEAMS_WEBHOOK=f"https://127.0.0.1:1/{CANARY}",
    )
    assert json.loads(page)
    assert CANARY not in page
    for variable in ("TAXI_LAKE_URL", "TAXI_WAREHOUSE_URL", "TAXI_TLC_URL"):
        assert f'"{variable}"' in page.replace("\\", "")


def use(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open everything that the settings configure."""
    for name, content in case.files.items():
        (folder / name).write_text(content)
    for name, value in case.settings.items():
        monkeypatch.setenv(name, value.replace("{folder}", str(folder)))
    monkeypatch.setenv("TAXI_HOME", str(folder / "home"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setattr(retry_policy, "FIRST_DELAY_SECONDS", 0.001)
    settings = Settings.from_env()
    build_definitions(settings)
    open_channels(Notify.from_env(os.environ))
    open_store(settings.lake_url).find("raw/green/x.parquet")
    open_warehouse(settings.warehouse_url).count("green_trips", None)


@pytest.mark.parametrize(
    "case",
    [case for case in cases() if case.fails and not case.name.startswith(SLOW)],
    ids=lambda case: case.name.encode("ascii", "replace").decode(),
)
def test_an_error_and_its_causes_hold_no_secret(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TaxiAssetsError) as raised:
        use(case, tmp_path, monkeypatch)
    assert CANARY not in "".join(traceback.format_exception(raised.value))


def test_a_failed_run_shows_no_secret() -> None:
    case = next(case for case in cases() if case.name.startswith("warehouse, duckdb"))
    outcome = run_case(case)
    assert outcome.leaks == []
    assert outcome.named


def test_records_and_scratch_are_closed_and_the_rest_follows_the_umask(
    tmp_path: Path, tlc: Simulator
) -> None:
    tlc.publish_zones()
    tlc.publish("green", Month(2024, 1), rows=200)
    home = tmp_path / ".taxi"
    month = ("--datasets", "green", "--months", "2024-01")
    ran = command(tmp_path, "run", *month, TAXI_TLC_URL=tlc.url, TAXI_UMASK="027")
    assert ran.returncode == 0, ran.stdout + ran.stderr

    def modes(paths: Iterable[Path]) -> set[int]:
        return {path.stat().st_mode & 0o777 for path in paths}

    assert modes(home / name for name in ("dagster", "commands", "scratch")) == {0o700}
    stored = [home / "lake", home / "warehouse.duckdb", *(home / "lake").rglob("*")]
    assert modes(stored) == {0o640, 0o750}
