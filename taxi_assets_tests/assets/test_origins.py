"""Generated and published rows are never stored together, whatever starts the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform, facts, month_assets
from taxi_assets_tests.mirror import mirror_of
from taxi_assets_tests.test_commands import command

ZONES = "key:lake_zones or key:taxi_zones"


@pytest.fixture
def mirror(tmp_path: Path, tlc: Simulator) -> Iterator[str]:
    """A plain web server over the simulator's files, which does not announce itself."""
    tlc.publish_zones()
    for month in (1, 2):
        tlc.publish("green", Month(2024, month), rows=200)
    with mirror_of(tmp_path / "site") as url:
        yield url


def test_every_object_and_loaded_month_has_its_origin(
    tmp_path: Path, tlc: Simulator, mirror: str
) -> None:
    for name, url in (("simulator", tlc.url), ("mirror", mirror)):
        platform = Platform(tmp_path / name, url)
        assert platform.run(ZONES).success
        platform.month("green", "2024-01")
        stored = [platform.store.find(key) for key in platform.store.keys("")]
        assert len(stored) == 6
        assert {each.attributes["origin"] for each in stored if each} == {name}
        records = platform.query("SELECT table_name, origin FROM loaded_months ORDER BY 1")
        assert records == [("green_rejects", name), ("green_trips", name)]
        assert platform.metadata("green/raw_trips", "2024-01")["origin"] == name


@pytest.mark.parametrize("first", ["simulator", "mirror"])
def test_a_lake_with_the_one_refuses_months_and_zones_of_the_other(
    tmp_path: Path, tlc: Simulator, mirror: str, first: str
) -> None:
    urls = {"simulator": tlc.url, "mirror": mirror}
    before = Platform(tmp_path / "home", urls.pop(first))
    before.month("green", "2024-01")
    stored = before.everything_stored()
    (other,) = urls.values()
    after = Platform(tmp_path / "home", other)
    for select, month in ((month_assets("green"), "2024-02"), (ZONES, None)):
        why = facts(after.run(select, month))
        assert why.error == "Misconfigured"
        assert f"the lake file://{tmp_path / 'home' / 'lake'} has " in why.happened
        assert "(origin: " in why.happened
        assert "make clean" in why.remedy
    assert after.everything_stored() == stored
    assert after.counts() == {"2024-01": 200}


def test_generated_zones_refuse_published_months(
    tmp_path: Path, tlc: Simulator, mirror: str
) -> None:
    assert Platform(tmp_path / "home", tlc.url).run(ZONES).success
    why = facts(Platform(tmp_path / "home", mirror).run(month_assets("green"), "2024-01"))
    assert (
        "green 2024-01 is from a source of Parquet (origin: mirror), but the lake" in why.happened
    )


def test_a_warehouse_with_the_one_refuses_months_of_another_lake(
    tmp_path: Path, tlc: Simulator, mirror: str
) -> None:
    Platform(tmp_path / "home", tlc.url).month("green", "2024-01")
    lake = (tmp_path / "other").as_uri()
    other = Platform(tmp_path / "home", mirror, TAXI_LAKE_URL=lake)
    why = facts(other.run(month_assets("green"), "2024-02"))
    assert why.asset == "green/warehouse_trips"
    assert (
        "green 2024-02 is from a source of Parquet (origin: mirror), but the warehouse duckdb:"
        in why.happened
    )
    assert other.counts() == {"2024-01": 200}


def test_a_command_says_so_in_one_line(tmp_path: Path, tlc: Simulator, mirror: str) -> None:
    run = ("run", "--datasets", "green", "--months")
    assert command(tmp_path, *run, "2024-01", TAXI_TLC_URL=tlc.url).returncode == 0
    refused = command(tmp_path, *run, "2024-02", TAXI_TLC_URL=mirror)
    assert refused.returncode == 1
    zones, line = refused.stderr.splitlines()
    assert (
        "lake_zones: The file of the taxi zones is from a source of Parquet (origin: mirror)"
        in zones
    )
    assert (
        "green/raw_trips 2024-02: green 2024-02 is from a source of Parquet (origin: mirror)"
        in line
    )
