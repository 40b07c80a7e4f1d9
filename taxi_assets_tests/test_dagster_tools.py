"""Dagster's own commands work in the project, and its code location has one name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest
import yaml

from taxi_assets.dagster_names import PARTITION_TAG, REPOSITORY_TAG
from taxi_assets.datasets import Month
from taxi_assets.instance import LOCATION, WORKSPACE
from taxi_assets.lake.local import LocalStore
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.test_commands import JANUARY, command, environment, records

ROOT = Path(__file__).resolve().parents[1]
MODULE = "taxi_assets.definitions"


def dg_command(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``dg`` in the project's folder."""
    return subprocess.run(
        [Path(sys.executable).with_name("dg"), *arguments],
        env=environment(
            home,
            DAGSTER_HOME=str(home / ".taxi" / "dagster"),
            DAGSTER_DISABLE_TELEMETRY="1",
            PYTHONPATH=str(ROOT),
            **env,
        ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with records(tmp_path):
        return tmp_path


def test_dg_checks_the_definitions(home: Path) -> None:
    checked = dg_command(home, "check", "defs")
    assert checked.returncode == 0, checked.stderr
    assert "All definitions loaded successfully" in checked.stdout


def test_dg_lists_the_definitions(home: Path) -> None:
    listed = dg_command(home, "list", "defs", "--json")
    assert listed.returncode == 0, listed.stderr
    keys = {asset["asset_key"] for asset in json.loads(listed.stdout)["assets"]}
    assert {"green/raw_trips", "fhvhv/warehouse_trips", "taxi_zones"} <= keys


def test_dg_launches_an_asset_for_a_month(home: Path, tlc: Simulator) -> None:
    published = tlc.publish("green", Month(2024, 1), rows=300)
    launched = dg_command(
        home, "launch", "--assets", "green/raw_trips", "--partition", "2024-01",
        TAXI_TLC_URL=tlc.url,
    )  # fmt: skip
    assert launched.returncode == 0, launched.stderr
    store = LocalStore(home / ".taxi" / "lake")
    (key,) = store.keys("raw/")
    found = store.find(key)
    assert found
    assert found.size == published.stat().st_size
    with records(home) as instance:
        assert instance.get_materialized_partitions(dg.AssetKey(["green", "raw_trips"])) == {
            "2024-01"
        }


def test_dg_refuses_to_launch_a_range_of_months(home: Path, tlc: Simulator) -> None:
    """As documented: a range would be one run, and each month is its own run."""
    refused = dg_command(
        home, "launch", "--assets", "green/raw_trips",
        "--partition-range", "2024-01...2024-02", TAXI_TLC_URL=tlc.url,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "BackfillPolicy.single_run()" in refused.stderr
    assert tlc.requests == ()


def test_the_projects_workspace_equals_the_packages() -> None:
    assert (ROOT / "workspace.yaml").read_bytes() == WORKSPACE.read_bytes()


def test_the_code_location_has_one_name_everywhere(tmp_path: Path, tlc: Simulator) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    (local,) = yaml.safe_load(WORKSPACE.read_text())["load_from"]
    (server,) = yaml.safe_load((ROOT / "deploy" / "workspace.yaml").read_text())["load_from"]
    values = yaml.safe_load((ROOT / "deploy" / "helm" / "values.yaml").read_text())
    (code,) = values["dagster-user-deployments"]["deployments"]
    (chart,) = values["dagsterWebserver"]["workspace"]["servers"]
    assert (chart["host"], chart["port"]) == (code["name"], code["port"])
    entrypoint = (ROOT / "deploy" / "entrypoint.sh").read_text()
    names = {
        "dagster": project["dagster"]["code_location_name"],
        "dg": project["dg"]["project"]["code_location_name"],
        "laptop": local["python_module"]["location_name"],
        "compose": server["grpc_server"]["location_name"],
        "image": option(entrypoint.split(), "--location-name"),
        "helm": chart["name"],
        "helm's code": option(code["dagsterApiGrpcArgs"], "--location-name"),
        "run": location_of_a_run(tmp_path, tlc),
    }
    assert names == dict.fromkeys(names, LOCATION)


def test_the_same_module_is_loaded_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    (local,) = yaml.safe_load(WORKSPACE.read_text())["load_from"]
    assert project["dagster"]["module_name"] == MODULE
    assert project["dg"]["project"]["code_location_target_module"] == MODULE
    assert local["python_module"]["module_name"] == MODULE


def option(words: Sequence[str], name: str) -> str:
    return words[list(words).index(name) + 1]


def location_of_a_run(home: Path, tlc: Simulator) -> str:
    """The code location of a command's runs, which may fail."""
    command(home, "run", *JANUARY, TAXI_TLC_URL=tlc.url)
    with records(home) as instance:
        runs = instance.get_runs()
    assert [run.tags.get(PARTITION_TAG) for run in runs] == ["2024-01", None]
    (label,) = {run.tags[REPOSITORY_TAG] for run in runs}
    assert re.fullmatch(r"__repository__@\w+", label)
    return label.partition("@")[2]
