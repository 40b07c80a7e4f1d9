"""The tables of users' assets: no two assets share one, and none is the platform's."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from taxi_assets.errors import Misconfigured
from taxi_assets.warehouse.io_manager import table_name
from taxi_assets_tests.assets.platform import Platform, failures

WIDE = "\uff12\uff10\uff12\uff14-01"  # 2024-01 in full-width digits
NO_SERVER = "http://127.0.0.1:1"
PLATFORMS = {
    f"{dataset}_{part}" for dataset in ("yellow", "green", "fhv", "fhvhv")
    for part in ("trips", "rejects")
} | {"loaded_months", "taxi_zones"}  # fmt: skip


def asset(*path: str, rows: int = 1, monthly: bool = False) -> dg.AssetsDefinition:
    """An asset of a user with the key ``path``, stored in the warehouse."""
    partitions = dg.MonthlyPartitionsDefinition("2024-01", fmt="%Y-%m") if monthly else None

    @dg.asset(key=list(path), io_manager_key="warehouse", partitions_def=partitions)
    def stored() -> pa.Table:
        return pa.table({"number": list(range(rows))})

    return stored


@pytest.mark.parametrize(
    ("path", "table"),
    [
        (["green", "warehouse_trips"], "green_trips"),
        (["taxi_zones"], "taxi_zones"),
        (["green_tips"], "green_tips"),
        (["marts", "daily_trips"], "marts_daily_trips"),
        (["Sales"], "Sales"),
    ],
)
def test_ordinary_names_are_joined(path: list[str], table: str) -> None:
    assert table_name(path) == table


def test_no_asset_of_a_user_has_a_table_of_the_platform() -> None:
    names = itertools.chain(PLATFORMS, ["green_trips_202401", "incoming_8c4b85682ee5_3808e500"])
    for name in names:
        words = name.split("_")
        for cuts in itertools.product("_/", repeat=len(words) - 1):
            path = "".join(itertools.chain(*zip(words, [*cuts, ""], strict=True))).split("/")
            if path != ["taxi_zones"]:
                for each in (path, [part.upper() for part in path]):
                    with pytest.raises(Misconfigured, match="is a table of this platform"):
                        table_name(each)


@pytest.mark.parametrize("seed", range(3))
def test_every_name_is_safe_for_every_warehouse_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    pieces = ["a", "B", "_", "-", " ", "é", "東", ".", "`", '"', "'", "$", "\0", "/", "@", "*", ";"]
    for _ in range(5_000):
        path = ["".join(chance.choices(pieces, k=chance.randint(0, 3))) for _ in range(2)]
        try:
            name = table_name(path)
        except Misconfigured:
            continue
        assert all(char.isalnum() or char in "_- " for char in name)


def test_the_second_asset_of_one_table_is_refused(tmp_path: Path) -> None:
    more = [asset("a", "b_c", rows=2), asset("a_b", "c", rows=3), asset("A_b_c", rows=4)]
    platform = Platform(tmp_path, NO_SERVER, more=more)
    for _ in range(2):
        result = platform.run("key:a/b_c")
        assert result.success, failures(result)
    for other in ("a_b/c", "A_b_c"):
        message = failures(platform.run(f"key:{other}"))
        assert f"Asset {other} would be stored in table" in message
        assert "which holds asset a/b_c. Rename one" in message
    assert platform.query("SELECT count(*) FROM a_b_c") == [(2,)]


def test_a_renamed_asset_takes_the_table_over_once_the_old_one_is_wiped(tmp_path: Path) -> None:
    platform = Platform(tmp_path, NO_SERVER, more=[asset("a", "b", rows=2), asset("a_b", rows=3)])
    assert platform.run("key:a/b").success
    assert not platform.run("key:a_b").success
    platform.instance.wipe_assets([dg.AssetKey(["a", "b"])])
    assert platform.run("key:a_b").success
    assert platform.query("SELECT count(*) FROM a_b") == [(3,)]


def test_an_asset_of_the_lake_does_not_occupy_a_table(tmp_path: Path) -> None:
    @dg.asset(key=["a", "b"], io_manager_key="lake")
    def stored() -> pa.Table:
        return pa.table({"number": [1]})

    platform = Platform(tmp_path, NO_SERVER, more=[stored, asset("a_b")])
    assert platform.run("key:a/b").success
    assert platform.run("key:a_b").success


def test_a_month_is_stored_under_its_own_key_only(tmp_path: Path) -> None:
    @dg.asset(
        partitions_def=dg.StaticPartitionsDefinition(["2024-01", " 2024-01", WIDE]),
        io_manager_key="warehouse",
    )
    def odd() -> pa.Table:
        return pa.table({"number": [1]})

    platform = Platform(tmp_path, NO_SERVER, more=[odd])
    assert platform.run("key:odd", "2024-01").success
    for key in (" 2024-01", WIDE):
        assert "The warehouse stores monthly partitions" in failures(platform.run("key:odd", key))
