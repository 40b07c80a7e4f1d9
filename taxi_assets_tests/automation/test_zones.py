"""The zones' sensor with a simulated TLC and Dagster's records of the real assets."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from taxi_assets.automation.zones import zones_sensor
from taxi_assets.dagster_names import DATA_VERSION_TAG
from taxi_assets.simulator.server import Simulator
from taxi_assets.simulator.zones import LOOKUP
from taxi_assets_tests.assets.platform import Platform
from taxi_assets_tests.automation.standins import Script
from taxi_assets_tests.automation.ticks import STOPPED, Records, tick

SENSOR = zones_sensor(status=STOPPED)
ZONES = "key:lake_zones or key:taxi_zones"


@pytest.fixture
def platform(tlc: Simulator, tmp_path: Path) -> Platform:
    return Platform(tmp_path / "home", tlc.url)


def requested(platform: Platform) -> tuple[int, str]:
    """The number of requested runs, and why there are none."""
    records = Records(platform.instance, platform.definitions, Script())
    data = tick(SENSOR, records, tlc_url=platform.settings.tlc_url)
    return len(data.run_requests or []), str(data.skip_message or "")


def test_zones_that_were_never_loaded_are_requested(platform: Platform) -> None:
    assert requested(platform) == (1, "")


def test_loaded_zones_are_requested_again_only_when_tlc_changes_a_file(
    platform: Platform, tlc: Simulator, tmp_path: Path
) -> None:
    tlc.publish_zones()
    assert platform.run(ZONES).success
    count, why = requested(platform)
    assert (count, "unchanged" in why) == (0, True)
    path = tmp_path / "site" / "misc" / LOOKUP
    path.write_bytes(path.read_bytes().replace(b"Outside of NYC", b"Elsewhere"))
    assert requested(platform) == (1, "")
    assert platform.run(ZONES).success
    assert requested(platform)[0] == 0


def test_zones_that_are_in_the_lake_only_are_requested(platform: Platform, tlc: Simulator) -> None:
    tlc.publish_zones()
    assert platform.run("lake_zones").success
    assert requested(platform) == (1, "")


def test_zones_that_an_earlier_release_loaded_are_requested(platform: Platform) -> None:
    for key in ("lake_zones", "taxi_zones"):
        platform.instance.report_runless_asset_event(
            dg.AssetMaterialization(key, tags={DATA_VERSION_TAG: "3f2a"})
        )
    assert requested(platform) == (1, "")


def test_zones_in_a_run_are_not_requested_again(platform: Platform) -> None:
    job = platform.definitions.resolve_job_def("zones")
    platform.instance.create_run_for_job(job)
    assert requested(platform) == (0, "The taxi zones are already in a run.")


def test_zones_that_tlc_refuses_stay_loaded_and_the_tick_says_so(
    platform: Platform, tlc: Simulator, tmp_path: Path
) -> None:
    tlc.publish_zones()
    assert platform.run(ZONES).success
    (tmp_path / "site" / "misc" / LOOKUP).unlink()
    count, why = requested(platform)
    assert count == 0
    assert f"answered 403 for misc/{LOOKUP}" in why
