"""A broken download fails with a clear error and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.publisher import trip_file
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import (
    FOUR,
    Platform,
    facts,
    failed_steps,
    failures,
    month_assets,
)


@dataclass(frozen=True)
class Broken:
    """A real broken download: the month it is named for, and the expected message."""

    file: str
    dataset: str
    month: str
    says: str


BROKEN = (
    Broken(
        "green_tripdata_2025-02.truncated.parquet",
        "green",
        "2025-02",
        "it is truncated: 75536 bytes without Parquet's footer",
    ),
    Broken(
        "green_tripdata_2022-01.lfs-pointer.parquet",
        "green",
        "2022-01",
        "it is a Git LFS pointer, not the file it points to",
    ),
    Broken(
        "yellow_tripdata_2024-01.accessdenied.parquet",
        "yellow",
        "2024-01",
        "it is an XML page, with S3's code AccessDenied",
    ),
)


def test_every_broken_file_is_tested(real_tlc: Path) -> None:
    assert {path.name for path in (real_tlc / "broken").iterdir()} == {each.file for each in BROKEN}


@pytest.mark.parametrize("broken", BROKEN, ids=[each.file for each in BROKEN])
def test_a_broken_file_only_fails_the_run(
    broken: Broken, real_tlc: Path, tmp_path: Path, tlc: Simulator, platform: Platform
) -> None:
    month = Month.parse(broken.month)
    tlc.publish(broken.dataset, month.plus(-1), rows=200)
    tlc.publish(broken.dataset, month, rows=200)
    platform.month(broken.dataset, str(month.plus(-1)), broken.month)
    lake, tables = platform.everything_stored(), _tables(platform, broken.dataset)

    served = trip_file(tmp_path / "site", broken.dataset, month)
    served.unlink()
    served.write_bytes((real_tlc / "broken" / broken.file).read_bytes())
    result = platform.run(month_assets(broken.dataset), broken.month)

    assert not result.success
    why = facts(result)
    assert (why.dataset, why.month, why.error) == (broken.dataset, broken.month, "CorruptDownload")
    message = failures(result)
    assert message.startswith(f"{broken.dataset} {month}")
    assert f"from {tlc.url}/trip-data/{served.name} is not the published file" in message
    assert broken.says in message
    assert "It was deleted" in message
    assert failed_steps(result) == [f"{broken.dataset}__raw_trips"]
    assert platform.everything_stored() == lake
    assert _tables(platform, broken.dataset) == tables
    assert platform.scratch_files() == []


@pytest.mark.parametrize("broken", BROKEN, ids=[each.file for each in BROKEN])
def test_nothing_is_stored_of_a_month_that_was_always_broken(
    broken: Broken, real_tlc: Path, tmp_path: Path, platform: Platform
) -> None:
    served = trip_file(tmp_path / "site", broken.dataset, Month.parse(broken.month))
    served.parent.mkdir(parents=True)
    served.write_bytes((real_tlc / "broken" / broken.file).read_bytes())
    assert not platform.run(month_assets(broken.dataset), broken.month).success
    assert platform.everything_stored() == {}
    assert not platform.warehouse.exists()
    for name in FOUR:
        assert platform.materialized(f"{broken.dataset}/{name}") == set()


def test_an_unpublished_month_fails_with_what_to_do(platform: Platform) -> None:
    result = platform.run(month_assets("green"), "2024-01")
    message = failures(result)
    assert message.startswith("green 2024-01 is not published")
    assert "TLC publishes a month 47 to 62 days after it ends" in message
    assert failed_steps(result) == ["green__raw_trips"]


def _tables(platform: Platform, dataset: str) -> list[tuple[object, ...]]:
    return sorted(
        platform.query(f"SELECT hash(trips) FROM {dataset}_trips AS trips")
        + platform.query(f"SELECT hash(rejects) FROM {dataset}_rejects AS rejects")
    )
