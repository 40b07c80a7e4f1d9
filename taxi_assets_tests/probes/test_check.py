"""``check`` probes what the settings name, on every store, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from taxi_assets import cli
from taxi_assets.datasets import DATASETS, Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.faults.canaries import CANARY
from taxi_assets_tests.lake import lakes
from taxi_assets_tests.probes import test_lake, test_warehouse
from taxi_assets_tests.probes.reports import checked
from taxi_assets_tests.test_commands import environment
from taxi_assets_tests.warehouse.catalogs import tables_of

PAIRS = [
    ("gcs", "bigquery"),
    pytest.param("s3", "postgres", marks=pytest.mark.long),
    pytest.param("azure", "duckdb", marks=pytest.mark.long),
]
OF_HOME = {
    "home: who am I",
    "home: TAXI_HOME",
    "home: TAXI_SCRATCH",
    "dagster: records of the runs",
    "dagster: logs of the runs",
}
OF_SOURCE = {"source: answers", *(f"source: {name}" for name in DATASETS)}
OF_DATASET = {"warehouse: dataset", "warehouse: no default expiration"}
OF_CLOUD = {
    "duckdb": set(),
    "gcs": {"google: who am I", "warehouse: location of the bucket"},
    "s3": {"aws: who am I"},
    "azure": {"azure: who am I"},
    "bigquery": {"google: who am I", *OF_DATASET},
    "postgres": {"warehouse: who am I", "warehouse: time limits"},
}


def publish(tlc: Simulator) -> None:
    for name in DATASETS:
        tlc.publish(name, Month(2024, 1), rows=3)


@pytest.mark.parametrize(("lake", "warehouse_url"), PAIRS, indirect=["warehouse_url"])
def test_everything_is_probed_and_nothing_is_left(
    lake: str,
    warehouse_url: str,
    tmp_path: Path,
    tlc: Simulator,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    publish(tlc)
    lake_url = lakes.fresh_lake(lake, tmp_path / "lake", request, monkeypatch)
    before = sorted(tmp_path.rglob("*"))
    report = checked(
        TAXI_HOME=str(tmp_path / "home"),
        TAXI_TLC_URL=tlc.url,
        TAXI_LAKE_URL=lake_url,
        TAXI_WAREHOUSE_URL=warehouse_url,
    )
    engine = request.node.callspec.params["warehouse_url"]
    assert report.failed == {}
    assert report.skipped == {}
    expected = OF_HOME | OF_SOURCE | test_lake.ALL | test_warehouse.ALL
    expected |= OF_CLOUD[lake] | OF_CLOUD[engine]
    if (lake, engine) == ("gcs", "bigquery"):
        expected |= {"warehouse: delete its objects"}
    assert report.verdicts.keys() == expected
    assert sorted(tmp_path.rglob("*")) == before
    assert lakes.keys_by_hand(lake_url) == []
    assert tables_of(warehouse_url) == []
    assert capfd.readouterr().err == ""


def test_a_load_is_skipped_if_the_lake_that_it_loads_from_cannot_be_written(
    bigquery_url: str, tmp_path: Path, tlc: Simulator
) -> None:
    report = checked(
        TAXI_HOME=str(tmp_path / "home"),
        TAXI_TLC_URL=tlc.url,
        TAXI_LAKE_URL="gs://nowhere-at-all",
        TAXI_WAREHOUSE_URL=bigquery_url,
    )
    assert "lake: list objects" in report.failed
    assert report.skipped["warehouse: load a month of 3 rows"] == "needs 'lake: write an object'"
    assert "There is no bucket nowhere-at-all" in report.failed["warehouse: location of the bucket"]


def test_no_line_holds_a_secret(tmp_path: Path) -> None:
    report = checked(
        notify=True,
        TAXI_HOME=str(tmp_path / "home"),
        TAXI_TLC_URL=f"http://reader:{CANARY}@127.0.0.1:9",
        TAXI_WAREHOUSE_URL=f"postgresql://taxi:{CANARY}@127.0.0.1:9/taxi?sslpassword={CANARY}",
        TAXI_TEAMS_WEBHOOK=f"http://127.0.0.1:9/{CANARY}",
    )
    assert report.failed.keys() == {
        "source: answers",
        "warehouse: who am I",
        "notify: Microsoft Teams",
    }
    assert CANARY not in str(report)


def test_a_missing_extra_is_named_and_the_rest_is_probed(
    tmp_path: Path, tlc: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "taxi_assets.probes.postgres", None)
    monkeypatch.setitem(sys.modules, "dagster_slack", None)
    report = checked(
        TAXI_HOME=str(tmp_path / "home"),
        TAXI_TLC_URL=tlc.url,
        TAXI_WAREHOUSE_URL="postgresql://nobody@127.0.0.1:1/taxi",
        TAXI_SLACK_TOKEN="xoxb-1",
        TAXI_SLACK_CHANNEL="#taxi",
    )
    assert "pip install 'taxi-assets[postgres]'" in report.failed["warehouse: open"]
    assert "pip install 'taxi-assets[slack]'" in report.failed["notify: open"]
    assert report.verdicts["lake: delete"] == "ok"


def test_the_command_probes_the_defaults_and_leaves_the_machine_as_it_was(
    tmp_path: Path,
    tlc: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in [each for each in os.environ if each.startswith(("TAXI_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TAXI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TAXI_TLC_URL", tlc.url)
    publish(tlc)
    before = sorted(tmp_path.rglob("*"))
    assert cli.main(["check"]) == 0
    out, err = capfd.readouterr()
    assert {line.split()[0] for line in out.splitlines()} == {"ok"}
    assert err == ""
    assert sorted(tmp_path.rglob("*")) == before
    tlc.withdraw("green", Month(2024, 1))
    assert cli.main(["check"]) == 1
    out, _ = capfd.readouterr()
    assert [line.split()[:3] for line in out.splitlines() if not line.startswith("ok")] == [
        ["FAIL", "source:", "green"]
    ]


def test_the_command_that_is_interrupted_ends_with_130_and_leaves_nothing(
    tmp_path: Path, tlc: Simulator
) -> None:
    tlc.faults.stall(30)
    with subprocess.Popen(
        [sys.executable, "-m", "taxi_assets", "check"],
        env=environment(tmp_path, TAXI_TLC_URL=tlc.url),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "dagster: logs" in line:
                process.send_signal(signal.SIGINT)  # while the source stalls
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []
