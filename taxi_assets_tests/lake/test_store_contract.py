"""What every lake keeps, whichever store it is: one suite, run against each of them."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.errors import ConcurrentWrite, ObjectMissing
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.store import LakeObject, LakeStore
from taxi_assets_tests.lake import lakes, writer
from taxi_assets_tests.lake.files import new_file

KEY = "trips/green/year=2024/month=01/trips.parquet"
OTHER_KEY = "staging/green/2024-01/trips.parquet"
ATTRIBUTES = {"source_url": "https://tlc.example/green_tripdata_2024-01.parquet", "etag": '"abc-1"'}


@pytest.fixture(params=lakes.KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return lakes.fresh_lake(request.param, tmp_path / "lake", request, monkeypatch)


@pytest.fixture
def store(url: str) -> LakeStore:
    return open_store(url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where this test's own files lie."""
    files = tmp_path / "files"
    files.mkdir()
    return files


def content_of(store: LakeStore, stored: LakeObject, folder: Path) -> bytes:
    return store.fetch(stored, folder / "fetched").read_bytes()


def test_nothing_is_found_where_nothing_was_put(store: LakeStore) -> None:
    assert store.find(KEY) is None
    assert list(store.keys("")) == []
    with pytest.raises(ObjectMissing, match=r"trips\.parquet is not in the lake. Run it first"):
        store.get(KEY, remedy="Run it first.")


def test_what_is_put_is_found_with_all_that_is_known_of_it(store: LakeStore, folder: Path) -> None:
    content = b"PAR1 not really"
    put = store.put(new_file(folder, content, ATTRIBUTES, rows=3), KEY, replacing=None)

    found = store.find(KEY)

    assert found == put
    assert found.key == KEY
    assert found.uri == f"{store.url}/{KEY}"
    assert found.size == len(content)
    assert found.rows == 3
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.attributes == ATTRIBUTES
    assert content_of(store, found, folder) == content


def test_a_second_process_finds_the_same(store: LakeStore, url: str, folder: Path) -> None:
    put = store.put(new_file(folder, b"shared", ATTRIBUTES, rows=1), KEY, replacing=None)
    assert open_store(url).find(KEY) == put


def test_an_object_is_replaced_whole(store: LakeStore, folder: Path) -> None:
    first = store.put(new_file(folder, b"first", {"old": "1"}, rows=9), KEY, replacing=None)

    second = store.put(new_file(folder, b"the second", {"new": "2"}), KEY, replacing=first)

    assert second.version != first.version
    found = store.get(KEY, remedy="")
    assert found == second
    assert (found.rows, found.attributes) == (None, {"new": "2"})
    assert content_of(store, found, folder) == b"the second"


def test_an_object_that_appeared_meanwhile_stays(store: LakeStore, folder: Path) -> None:
    winner = store.put(new_file(folder, b"winner", ATTRIBUTES), KEY, replacing=None)

    with pytest.raises(ConcurrentWrite, match="another run"):
        store.put(new_file(folder, b"loser"), KEY, replacing=None)

    assert store.find(KEY) == winner
    assert content_of(store, winner, folder) == b"winner"


def test_an_object_that_changed_meanwhile_stays(store: LakeStore, folder: Path) -> None:
    before = store.put(new_file(folder, b"before"), KEY, replacing=None)
    winner = store.put(new_file(folder, b"winner", ATTRIBUTES), KEY, replacing=before)

    with pytest.raises(ConcurrentWrite, match="another run"):
        store.put(new_file(folder, b"loser"), KEY, replacing=before)

    assert store.find(KEY) == winner
    assert content_of(store, winner, folder) == b"winner"


def test_an_object_that_was_removed_meanwhile_stays_removed(store: LakeStore, folder: Path) -> None:
    before = store.put(new_file(folder, b"before"), KEY, replacing=None)
    store.delete(KEY)

    with pytest.raises(ConcurrentWrite):
        store.put(new_file(folder, b"loser"), KEY, replacing=before)

    assert store.find(KEY) is None


@pytest.mark.parametrize("before", [None, b"before"], ids=["new", "replaced"])
def test_of_two_writers_at_once_exactly_one_wins(
    url: str, folder: Path, before: bytes | None
) -> None:
    store = open_store(url)
    replacing = before and store.put(new_file(folder, before), KEY, replacing=None)
    stores, start = [open_store(url), open_store(url)], threading.Barrier(2)
    outcomes: dict[bytes, LakeObject | ConcurrentWrite] = {}

    def write(number: int) -> None:
        content = f"writer {number}".encode() * 1000
        file = new_file(folder, content)
        start.wait()
        try:
            outcomes[content] = stores[number].put(file, KEY, replacing=replacing or None)
        except ConcurrentWrite as error:
            outcomes[content] = error

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    won = {content: end for content, end in outcomes.items() if isinstance(end, LakeObject)}
    assert (len(outcomes), len(won)) == (2, 1), outcomes
    [(content, stored)] = won.items()
    assert store.find(KEY) == stored
    assert content_of(store, stored, folder) == content


def test_a_reader_sees_one_whole_version_while_a_writer_is_at_work(
    store: LakeStore, url: str, folder: Path
) -> None:
    files = [new_file(folder, bytes([n]) * 50_000, {"number": str(n)}) for n in range(30)]
    stored, done = store.put(files[0], KEY, replacing=None), threading.Event()

    def write() -> None:
        before = stored
        for file in files[1:]:
            before = store.put(file, KEY, replacing=before)
        done.set()

    writer_at_work = threading.Thread(target=write)
    writer_at_work.start()
    reader, seen = open_store(url), []
    while not done.is_set() and writer_at_work.is_alive():
        seen.append(reader.find(KEY))
    writer_at_work.join()

    assert done.is_set()
    assert seen
    for found in seen:
        assert found is not None
        assert found.sha256 == files[int(found.attributes["number"])].sha256


def test_a_copy_has_the_content_and_the_attributes(store: LakeStore, folder: Path) -> None:
    content = b"audited"
    source = store.put(new_file(folder, content, ATTRIBUTES, rows=7), OTHER_KEY, replacing=None)

    copied = store.copy(source, KEY, replacing=None)

    assert store.find(KEY) == copied
    assert copied.uri == f"{store.url}/{KEY}"
    assert (copied.size, copied.sha256) == (len(content), source.sha256)
    assert (copied.rows, copied.attributes) == (7, ATTRIBUTES)
    assert content_of(store, copied, folder) == content
    assert store.find(OTHER_KEY) == source


def test_a_copy_outlives_its_source(store: LakeStore, folder: Path) -> None:
    source = store.put(new_file(folder, b"old", ATTRIBUTES), OTHER_KEY, replacing=None)
    copied = store.copy(source, KEY, replacing=None)
    store.put(new_file(folder, b"newer"), OTHER_KEY, replacing=source)
    store.delete(OTHER_KEY)

    assert store.find(KEY) == copied
    assert content_of(store, copied, folder) == b"old"


def test_a_copy_replaces_what_it_was_to_replace(store: LakeStore, folder: Path) -> None:
    before = store.put(new_file(folder, b"published", {"reissue": "0"}), KEY, replacing=None)
    source = store.put(new_file(folder, b"reissued", {"reissue": "1"}), OTHER_KEY, replacing=None)

    copied = store.copy(source, KEY, replacing=before)

    assert store.find(KEY) == copied
    assert copied.attributes == {"reissue": "1"}
    with pytest.raises(ConcurrentWrite):
        store.copy(source, KEY, replacing=before)
    with pytest.raises(ConcurrentWrite):
        store.copy(source, KEY, replacing=None)
    assert store.find(KEY) == copied


def test_a_source_that_changed_is_not_copied(store: LakeStore, folder: Path) -> None:
    audited = store.put(new_file(folder, b"audited"), OTHER_KEY, replacing=None)
    store.put(new_file(folder, b"another"), OTHER_KEY, replacing=audited)

    with pytest.raises(ConcurrentWrite):
        store.copy(audited, KEY, replacing=None)

    assert store.find(KEY) is None


def test_a_source_that_has_gone_is_not_copied(store: LakeStore, folder: Path) -> None:
    audited = store.put(new_file(folder, b"audited"), OTHER_KEY, replacing=None)
    store.delete(OTHER_KEY)

    with pytest.raises(ObjectMissing, match="is gone"):
        store.copy(audited, KEY, replacing=None)

    assert store.find(KEY) is None


def test_an_object_that_changed_is_not_fetched(store: LakeStore, folder: Path) -> None:
    old = store.put(new_file(folder, b"old"), KEY, replacing=None)
    store.put(new_file(folder, b"new"), KEY, replacing=old)
    with pytest.raises(ConcurrentWrite, match="another run"):
        store.fetch(old, folder / "fetched")


def test_an_object_that_was_removed_is_not_fetched(store: LakeStore, folder: Path) -> None:
    old = store.put(new_file(folder, b"old"), KEY, replacing=None)
    store.delete(KEY)
    with pytest.raises(ObjectMissing, match="Materialise it again"):
        store.fetch(old, folder / "fetched")


def test_two_months_are_fetched_into_one_folder(store: LakeStore, folder: Path) -> None:
    key = KEY.replace("month=01", "month=02")
    january = store.put(new_file(folder, b"january"), KEY, replacing=None)
    february = store.put(new_file(folder, b"february"), key, replacing=None)

    paths = [store.fetch(month, folder / "fetched") for month in (january, february)]

    assert [path.read_bytes() for path in paths] == [b"january", b"february"]
    assert {path.suffix for path in paths} == {".parquet"}


def test_keys_come_by_prefix_and_in_order(store: LakeStore, folder: Path) -> None:
    keys = [
        "raw/green/green_tripdata_2024-02.parquet",
        "raw/green/green_tripdata_2024-01.parquet",
        "raw/greenery/x.parquet",
        "raw/yellow/yellow_tripdata_2024-01.parquet",
        "zones/taxi_zones.parquet",
    ]
    for key in keys:
        store.put(new_file(folder, key.encode()), key, replacing=None)

    assert list(store.keys("")) == sorted(keys)
    assert list(store.keys("raw/green/")) == sorted(keys[:2])
    assert list(store.keys("raw/green")) == sorted(keys[:3])
    assert list(store.keys("trips/")) == []


def test_deleting_twice_is_no_error(store: LakeStore, folder: Path) -> None:
    store.put(new_file(folder, b"x"), KEY, replacing=None)
    store.delete(KEY)
    store.delete(KEY)
    assert store.find(KEY) is None
    assert list(store.keys("")) == []


def test_an_object_of_many_parts_arrives_whole(store: LakeStore, folder: Path) -> None:
    content = b"".join(number.to_bytes(8, "big") for number in range((20 << 20) // 8 + 1))
    big = store.put(new_file(folder, content, ATTRIBUTES, rows=11), KEY, replacing=None)
    assert store.find(KEY) == big
    assert (big.size, big.rows, big.attributes) == (len(content), 11, ATTRIBUTES)
    assert content_of(store, big, folder) == content

    copied = store.copy(big, OTHER_KEY, replacing=None)
    assert store.find(OTHER_KEY) == copied
    smaller = content[: 9 << 20]
    replaced = store.put(new_file(folder, smaller), KEY, replacing=big)
    assert store.find(KEY) == replaced
    assert content_of(store, replaced, folder) == smaller
    with pytest.raises(ConcurrentWrite):
        store.put(new_file(folder, content), KEY, replacing=big)
    assert store.find(KEY) == replaced


def test_any_text_may_be_an_attribute(store: LakeStore, folder: Path) -> None:
    attributes = {
        "Mixed-Case.and dots": "kept",
        "unicode": "Straße · 東京 · 🚕",
        "quotes": "\"double\", 'single', back\\slash; {json: [1]}",
        "url": "https://tlc.example/a%20b?x=1&y=%C3%BC#part",
        "spaces": "  two  at each end  ",
        "lines": "one\ntwo\ttabbed",
        "empty": "",
    }
    source = store.put(new_file(folder, b"x", attributes), OTHER_KEY, replacing=None)
    assert store.get(OTHER_KEY, remedy="").attributes == attributes
    assert source.attributes == attributes

    store.copy(source, KEY, replacing=None)
    assert store.get(KEY, remedy="").attributes == attributes


def test_an_empty_file_is_an_object(store: LakeStore, folder: Path) -> None:
    empty = store.put(new_file(folder, b"", ATTRIBUTES, rows=0), KEY, replacing=None)
    assert store.find(KEY) == empty
    assert (empty.size, empty.rows) == (0, 0)
    assert content_of(store, empty, folder) == b""
    assert store.copy(empty, OTHER_KEY, replacing=None).size == 0


def test_a_real_parquet_file_keeps_its_rows(store: LakeStore, folder: Path) -> None:
    path = folder / "trips.parquet"
    pq.write_table(pa.table({"trip_id": range(1000)}), path)
    new = new_file(folder, path.read_bytes(), ATTRIBUTES, rows=1000)
    fetched = store.fetch(store.put(new, KEY, replacing=None), folder / "fetched")
    assert pq.ParquetFile(fetched).read().column("trip_id").to_pylist() == list(range(1000))


def test_an_object_put_there_by_another_program_is_read_for_its_facts(
    store: LakeStore, url: str, folder: Path
) -> None:
    path = folder / "trips.parquet"
    pq.write_table(pa.table({"trip_id": range(42)}), path)
    content = path.read_bytes()
    lakes.put_by_hand(url, KEY, content)

    found = store.get(KEY, remedy="")

    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert (found.size, found.rows, found.attributes) == (len(content), 42, {})
    assert content_of(store, found, folder) == content
    assert store.put(new_file(folder, b"ours"), KEY, replacing=found) == store.find(KEY)


def test_a_broken_file_put_there_by_hand_can_be_replaced(
    store: LakeStore, url: str, folder: Path
) -> None:
    lakes.put_by_hand(url, KEY, b"PAR1 and then nothing")
    found = store.get(KEY, remedy="")
    assert found.rows is None
    assert store.put(new_file(folder, b"ours"), KEY, replacing=found) == store.find(KEY)


def test_a_killed_writer_leaves_one_whole_object(store: LakeStore, url: str, folder: Path) -> None:
    program = [sys.executable, "-m", writer.__name__, url, KEY, str(folder)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "storing\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL

    found = store.get(KEY, remedy="")
    number = int(found.attributes["number"])
    assert found.size == writer.SIZE
    assert content_of(store, found, folder) == bytes([number]) * writer.SIZE
    assert list(store.keys("")) == [KEY]

    after = store.put(new_file(folder, b"after"), KEY, replacing=found)
    assert store.find(KEY) == after
