"""A home of an older layout is recognized, stale, never mixed, and upgraded by a command.

The archives are homes after ``run --datasets green --months 2024-01:2024-02`` with 200 generated
rows per month: ``layout-1`` by the release before months had versions, ``layout-2`` by the last one
that wrote the rejects of every version to one key.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.definitions.data_version import (  # the UI's own, which has no public name
    CachingStaleStatusResolver,
    StaleStatus,
)
from dagster._core.loader import LoadingContextForTest

from taxi_assets.datasets import DATASETS, Month
from taxi_assets.definitions import build_definitions
from taxi_assets.lake.local import LocalStore
from taxi_assets.settings import Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets.upgrade import outdated_months
from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse
from taxi_assets_tests.assets.platform import Platform, failures
from taxi_assets_tests.test_commands import command

GREEN = DATASETS["green"]
MONTHS = [Month(2024, 1), Month(2024, 2)]


@pytest.fixture(params=["layout-1", "layout-2"])
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The old home, used by commands run in ``tmp_path``."""
    with tarfile.open(Path(__file__).with_name(f"{request.param}.tar.xz")) as archive:
        archive.extractall(tmp_path, filter="data")
    return (tmp_path / "home").rename(tmp_path / ".taxi")


@pytest.fixture
def tlc(tmp_path: Path, home: Path) -> Iterator[Simulator]:
    """It still publishes the files that the old home was made from; later ones differ."""
    with Simulator(tmp_path / "site") as simulator:
        simulator.publish_zones()
        for month in (*MONTHS, Month(2024, 3)):
            published = simulator.publish("green", month, rows=200)
            if month in MONTHS:
                shutil.copyfile(home / "lake/raw/green" / published.name, published)
        yield simulator


def test_its_months_are_outdated_until_they_are_upgraded(
    home: Path, tmp_path: Path, tlc: Simulator
) -> None:
    before = _rows(home)
    assert _outdated(home) == MONTHS

    ran = command(
        tmp_path, "run", "--datasets", "green", "--months", "2024-03", TAXI_TLC_URL=tlc.url
    )
    assert ran.returncode == 0, ran.stderr
    assert "outdated   green 2024-01, 2024-02: of an older release;" in ran.stdout
    assert _rows(home)[:2] == before
    assert _outdated(home) == MONTHS

    upgraded = command(tmp_path, "upgrade", TAXI_TLC_URL=tlc.url)
    assert upgraded.returncode == 0, upgraded.stderr
    assert _outdated(home) == []
    assert _rows(home)[:2] == before, "the same file gives the same rows"

    again = command(tmp_path, "upgrade", TAXI_TLC_URL=tlc.url)
    assert (again.returncode, "Every month is up to date" in again.stdout) == (0, True)


def test_its_months_are_stale(home: Path) -> None:
    definitions = build_definitions(Settings.from_env({"TAXI_HOME": str(home)}))
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        resolver = CachingStaleStatusResolver(
            instance, definitions.resolve_asset_graph(), LoadingContextForTest(instance)
        )
        for name in ("clean_trips", "lake_trips", "warehouse_trips"):
            key = dg.AssetKey(["green", name])
            assert resolver.get_status(key, "2024-01") == StaleStatus.STALE, name


def test_its_months_are_refused_as_months_of_the_current_layout(home: Path, tlc: Simulator) -> None:
    platform = Platform(home, tlc.url)
    rows = _rows(home)
    for name, upstream in (("lake_trips", "clean_trips"), ("warehouse_trips", "lake_trips")):
        result = platform.run(f"key:green/{name}", "2024-01")
        assert not result.success
        assert f"green/{upstream} 2024-01 cannot be used" in failures(result)
        assert "python -m taxi_assets upgrade" in failures(result)
    assert _rows(home) == rows


def _outdated(home: Path) -> list[Month]:
    found = outdated_months(LocalStore(home / "lake"), DuckDBWarehouse(home / "warehouse.duckdb"))
    assert {spec.name for spec, _ in found} <= {"green"}
    return [month for _, month in found]


def _rows(home: Path) -> list[tuple[object, ...]]:
    """By month and table: the number of rows and a digest of them, in any order."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(
            """SELECT source_month, sum(trips), bit_xor(digest) FROM (
                SELECT source_month, 1 AS trips, hash(t) AS digest FROM green_trips AS t
                UNION ALL SELECT source_month, 0, hash(r) FROM green_rejects AS r
            ) GROUP BY 1 ORDER BY 1"""
        ).fetchall()
