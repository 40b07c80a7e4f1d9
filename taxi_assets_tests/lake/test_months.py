"""A month is switched by one write: nobody gets two versions, and a killed writer mixes nothing."""

from __future__ import annotations

import multiprocessing
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.errors import ConcurrentWrite
from taxi_assets.lake import attributes
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.handles import NewMonth, StoredMonth, redone
from taxi_assets.lake.io_manager import finished
from taxi_assets.lake.lake import Lake
from taxi_assets.lake.months import write_month
from taxi_assets.lake.store import LakeObject, NewObject
from taxi_assets.versions import LAYOUT
from taxi_assets_tests.lake.lakes import KINDS, fresh_lake

CLEANED, PUBLISHED = ["green", "clean_trips"], ["green", "lake_trips"]
MONTH = "2024-01"
STAGED = "staging/green/2024-01/trips.parquet"
TRIPS = "trips/green/year=2024/month=01/trips.parquet"


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return fresh_lake(request.param, tmp_path / "lake", request, monkeypatch)


@pytest.fixture
def lake(url: str) -> Iterator[Lake]:
    with closing(Lake(open_store(url), None)) as lake:
        yield lake


def test_the_rejects_are_named_by_the_trips_and_old_ones_are_deleted(lake: Lake) -> None:
    for version in (1, 2):
        _write(lake, version)
        _publish(lake)
        assert _rows(lake.month(CLEANED, MONTH)) == _rows(lake.month(PUBLISHED, MONTH))
        found = [re.sub(r"-\w{8}\.parquet$", "", key) for key in lake.store.keys("")]
        assert sorted(found) == [
            f"rejects/green/year=2024/month=01/rejects-{_version(version)}",
            f"staging/green/2024-01/rejects-{_version(version)}",
            STAGED,
            TRIPS,
        ]


def test_a_month_in_place_is_not_written_again(lake: Lake) -> None:
    _write(lake, 1)
    _publish(lake)
    before = lake.store.find(TRIPS)
    assert _publish(lake) == (before, False)
    assert _publish(lake, redo=True)[1]


def test_a_killed_writer_changes_nothing_and_the_next_one_deletes_what_it_wrote(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(lake, 1)
    _publish(lake)
    _write(lake, 2)
    with _killed_before(lake, "copy", TRIPS, monkeypatch):
        _publish(lake)
    assert _rows(lake.month(PUBLISHED, MONTH)) == (1, 1)
    assert len(list(lake.store.keys("rejects/"))) == 2

    _write(lake, 1)  # TLC published the first version again
    assert _publish(lake)[1] is False
    assert _rows(lake.month(PUBLISHED, MONTH)) == (1, 1)
    _write(lake, 3)
    _publish(lake)
    assert _rows(lake.month(PUBLISHED, MONTH)) == (3, 3)
    assert len(list(lake.store.keys("rejects/"))) == 1


def test_rejects_of_a_killed_writer_are_deleted_though_its_month_is_published_again(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a version is a digest of the content (S3), it is the same one again."""
    _write(lake, 1)
    with _killed_before(lake, "put", STAGED, monkeypatch):
        _write(lake, 3)
    for version in (2, 1):
        _write(lake, version)
    assert _rows(lake.month(CLEANED, MONTH)) == (1, 1)
    assert len([key for key in lake.store.keys("staging/") if "rejects" in key]) == 1


def test_rejects_of_a_writer_that_is_about_to_switch_are_not_deleted(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its two writes, a run that finds the month in place removes what is abandoned."""
    _write(lake, 1)
    _publish(lake)
    _write(lake, 2)
    published = lake.month(PUBLISHED, MONTH)
    copy = lake.store.copy

    def between(source: LakeObject, key: str, **given: Any) -> LakeObject:
        if key == TRIPS:
            assert write_month(lake, TRIPS, published)[2] is False
        return copy(source, key, **given)

    with monkeypatch.context() as patch:
        patch.setattr(lake.store, "copy", between)
        _publish(lake)
    assert _rows(lake.month(PUBLISHED, MONTH)) == (2, 2)


def test_the_later_of_two_writers_fails_and_the_month_is_the_earlier_ones(lake: Lake) -> None:
    _write(lake, 1)
    late = _new(lake, 3)
    _write(lake, 2)
    with pytest.raises(ConcurrentWrite):
        write_month(lake, STAGED, late)
    assert _rows(lake.month(CLEANED, MONTH)) == (2, 2)
    _write(lake, 4)
    assert len([key for key in lake.store.keys("staging/") if "rejects" in key]) == 1


def test_a_reader_gets_trips_and_rejects_of_one_version(lake: Lake, url: str) -> None:
    _write(lake, 1)
    seen: set[tuple[int, int]] = set()
    stop = threading.Event()

    def read() -> None:
        with closing(Lake(open_store(url), None)) as own:
            while not stop.is_set():
                try:
                    seen.add(_rows(own.month(CLEANED, MONTH)))
                except ConcurrentWrite:
                    continue

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for version in range(2, 12):
            _write(lake, version)
        while len(seen) < 2 and not any(reader.done() for reader in readers):
            _write(lake, 1)
            _write(lake, 2)
        stop.set()
        for reader in readers:
            reader.result()
    assert {trips - rejects for trips, rejects in seen} == {0}


def test_two_runs_that_write_a_month_at_once_leave_one_of_the_two(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    with closing(Lake(open_store(url), None)) as lake:
        _write(lake, 1)
        writers = [context.Process(target=_write_often, args=(url, n)) for n in (2, 3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
            assert writer.exitcode == 0
        trips, rejects = _rows(lake.month(CLEANED, MONTH))
        assert trips == rejects


def test_an_opened_file_stays_as_it_was_when_the_month_is_replaced(lake: Lake) -> None:
    _write(lake, 1)
    month = lake.month(CLEANED, MONTH)
    path = month.trips.path()
    _write(lake, 2)
    assert pq.read_metadata(path).num_rows == 1
    assert month.trips.path() == path


@contextmanager
def _killed_before(
    lake: Lake, method: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The writer in the block ends before the store's ``method`` writes ``key``."""
    original = getattr(lake.store, method)

    def killed(source: LakeObject | NewObject, to: str, **given: Any) -> LakeObject:
        if to == key:
            raise KeyboardInterrupt
        return cast("LakeObject", original(source, to, **given))

    with monkeypatch.context() as patch:
        patch.setattr(lake.store, method, killed)
        with pytest.raises(KeyboardInterrupt):
            yield


def _write_often(url: str, version: int) -> None:
    with closing(Lake(open_store(url), None)) as lake:
        for _ in range(5):
            try:
                _write(lake, version)
            except ConcurrentWrite:
                continue


def _write(lake: Lake, version: int) -> None:
    write_month(lake, STAGED, _new(lake, version))


def _publish(lake: Lake, *, redo: bool = False) -> tuple[LakeObject, bool]:
    trips, _, written = write_month(lake, TRIPS, redone(lake.month(CLEANED, MONTH), redo))
    return trips, written


def _new(lake: Lake, version: int) -> NewMonth:
    """As many trips, and rejects, as the version's number."""
    facts = {attributes.VERSION: _version(version)}
    return NewMonth(
        trips=_file(lake, "trips", version, facts),
        rejects=_file(lake, "rejects", version, facts),
        before=lake.previous_month(CLEANED, MONTH),
    )


def _file(lake: Lake, name: str, version: int, facts: dict[str, str]) -> NewObject:
    path = lake.folder / f"{name}-{version}.parquet"
    pq.write_table(pa.table({name: [version] * version}), path)
    return finished(path, facts)


def _version(number: int) -> str:
    return f"{LAYOUT}-{number:012d}-0123456789ab"


def _rows(month: StoredMonth) -> tuple[int, int]:
    """The version of trips and of rejects, from the rows."""
    found = []
    for name, file in (("trips", month.trips), ("rejects", month.rejects)):
        column = pq.read_table(file.path())[name].to_pylist()
        assert set(column) == {len(column)}
        found.append(len(column))
    return found[0], found[1]
