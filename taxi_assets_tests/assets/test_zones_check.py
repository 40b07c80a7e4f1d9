"""The check of ``taxi_zones`` and its place in the lineage."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from taxi_assets.assets import zones_check
from taxi_assets.datasets import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform


@pytest.fixture
def platform(tlc: Simulator, tmp_path: Path) -> Platform:
    tlc.publish_zones()
    tlc.publish("green", Month(2024, 1), rows=300)
    return Platform(tmp_path / "home", tlc.url)


def checked(platform: Platform) -> tuple[bool, dg.AssetCheckSeverity, str]:
    (each,) = platform.check("taxi_zones", "loaded_zones").get_asset_check_evaluations()
    return each.passed, each.severity, str(each.description)


def test_trips_without_zones_are_a_warning_and_zones_end_it(platform: Platform) -> None:
    assert checked(platform)[0]  # of an empty warehouse
    platform.month("green", "2024-01")
    assert checked(platform) == (
        False,
        dg.AssetCheckSeverity.WARN,
        "taxi_zones has 0 rows instead of 265. Trips of green are loaded and cannot be joined. "
        "Run the job zones.",
    )
    before = platform.materialization("green/warehouse_trips", "2024-01")
    assert platform.run("key:lake_zones or key:taxi_zones").success
    assert checked(platform)[::2] == (True, "265 zones loaded.")
    # The month neither waited for the zones nor is stale because of them.
    assert platform.materialization("green/warehouse_trips", "2024-01") == before
    lineage = before[1]["dagster/column_lineage"].deps_by_column["pickup_zone_id"]
    assert [each.asset_key.to_user_string() for each in lineage] == [
        "green/lake_trips",
        "taxi_zones",
    ]
    parents = platform.definitions.resolve_asset_graph().get(
        dg.AssetKey(["green", "warehouse_trips"])
    )
    assert parents.parent_keys == {dg.AssetKey(["green", "lake_trips"])}


def test_missing_and_old_zones_are_a_warning(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert platform.run("key:lake_zones or key:taxi_zones").success
    with duckdb.connect(str(platform.warehouse)) as warehouse:
        warehouse.execute("DELETE FROM taxi_zones WHERE location_id > 260")
    assert "has 260 rows instead of 265" in checked(platform)[2]
    monkeypatch.setattr(zones_check, "_REFRESHED_WITHIN", -zones_check._REFRESHED_WITHIN)
    assert "last refreshed 2" in checked(platform)[2]
