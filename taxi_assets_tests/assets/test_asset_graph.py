"""The asset graph equals its reviewed snapshot and loads without the cloud libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import yaml

from taxi_assets.datasets import DATASETS
from taxi_assets.definitions import defs
from taxi_assets_tests.assets.graph import SNAPSHOT, described
from taxi_assets_tests.assets.platform import FOUR

ROOT = Path(__file__).resolve().parents[2]


def test_the_graph_equals_its_snapshot() -> None:
    assert described() == SNAPSHOT.read_text(), (
        "The asset graph has changed. If that is intended, run "
        "`python -m taxi_assets_tests.assets.graph` and commit the text."
    )


def test_the_code_location_loads() -> None:
    (location,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert location["python_module"]["module_name"] == "taxi_assets.definitions"
    dg.Definitions.validate_loadable(defs())


def test_every_dataset_has_its_four_assets_and_its_source() -> None:
    keys = {key.to_user_string() for key in defs().resolve_asset_graph().get_all_asset_keys()}
    for name in DATASETS:
        assert {f"tlc/{name}", *(f"{name}/{each}" for each in FOUR)} <= keys


def test_every_month_is_a_run_of_its_own() -> None:
    """An asset with a backfill policy would be run for several months, with a range's tags."""
    graph = defs().resolve_asset_graph()
    assert {key for key in graph.get_all_asset_keys() if graph.get(key).backfill_policy} == set()


def test_every_check_is_described_by_a_question() -> None:
    graph = defs().resolve_asset_graph()
    for key in graph.asset_check_keys:
        assert str(graph.get(key).description).endswith("?"), key


def test_every_asset_is_described_and_owned() -> None:
    graph = defs().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key


def test_a_laptop_does_not_import_the_cloud_libraries(tmp_path: Path) -> None:
    """They take seconds to import, and some are extras that may not be installed."""
    program = (
        "import json, sys\nfrom taxi_assets.definitions import defs\ndefs()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"TAXI_HOME": str(tmp_path), "PATH": ""},
        check=True,
        capture_output=True,
        text=True,
    )
    modules = {name.partition(".")[0] for name in json.loads(loaded.stdout)}
    unwanted = {"azure", "boto3", "dagster_gcp", "google", "obstore", "psycopg", "sqlalchemy"}
    assert modules & unwanted == set()
    assert "taxi_assets" in modules
    assert list(tmp_path.iterdir()) == [], "loading creates no files"
