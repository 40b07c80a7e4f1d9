"""The contract of a lake's store, tested against each of them."""

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

from taxi_assets.errors import ConcurrentWrite, Misconfigured, ObjectMissing
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
    """A folder for the test's own files."""
    files = tmp_path / "files"
    files.mkdir()
    return files


def content_of(store: LakeStore, stored: LakeObject, folder: Path) -> bytes:
    return store.fetch(stored, folder / "fetched").read_bytes()


def test_a_missing_object_is_not_found(store: LakeStore) -> None:
    assert store.find(KEY) is None
    assert list(store.keys("")) == []
    with pytest.raises(ObjectMissing, match=r"trips\.parquet is not in the lake. Run it first"):
        store.get(KEY, remedy="Run it first.")


def test_an_object_is_found_with_its_description(store: LakeStore, folder: Path) -> None:
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


def test_a_second_store_finds_the_same_object(store: LakeStore, url: str, folder: Path) -> None:
    put = store.put(new_file(folder, b"shared", ATTRIBUTES, rows=1), KEY, replacing=None)
    assert open_store(url).find(KEY) == put


def test_an_object_is_replaced_with_its_description(store: LakeStore, folder: Path) -> None:
    first = store.put(new_file(folder, b"first", {"old": "1"}, rows=9), KEY, replacing=None)

    second = store.put(new_file(folder, b"the second", {"new": "2"}), KEY, replacing=first)

    assert second.version != first.version
    found = store.get(KEY, remedy="")
    assert found == second
    assert (found.rows, found.attributes) == (None, {"new": "2"})
    assert content_of(store, found, folder) == b"the second"


def test_an_object_created_by_another_run_is_not_replaced(store: LakeStore, folder: Path) -> None:
    winner = store.put(new_file(folder, b"winner", ATTRIBUTES), KEY, replacing=None)

    with pytest.raises(ConcurrentWrite, match="another run"):
        store.put(new_file(folder, b"loser"), KEY, replacing=None)

    assert store.find(KEY) == winner
    assert content_of(store, winner, folder) == b"winner"


def test_an_object_changed_by_another_run_is_not_replaced(store: LakeStore, folder: Path) -> None:
    before = store.put(new_file(folder, b"before"), KEY, replacing=None)
    winner = store.put(new_file(folder, b"winner", ATTRIBUTES), KEY, replacing=before)

    with pytest.raises(ConcurrentWrite, match="another run"):
        store.put(new_file(folder, b"loser"), KEY, replacing=before)

    assert store.find(KEY) == winner
    assert content_of(store, winner, folder) == b"winner"


def test_an_object_deleted_by_another_run_is_not_written_again(
    store: LakeStore, folder: Path
) -> None:
    before = store.put(new_file(folder, b"before"), KEY, replacing=None)
    store.delete(KEY)

    with pytest.raises(ConcurrentWrite):
        store.put(new_file(folder, b"loser"), KEY, replacing=before)

    assert store.find(KEY) is None


@pytest.mark.parametrize("before", [None, b"before"], ids=["new", "replaced"])
def test_exactly_one_of_two_concurrent_writers_succeeds(
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

    won = {content: each for content, each in outcomes.items() if isinstance(each, LakeObject)}
    assert (len(outcomes), len(won)) == (2, 1), outcomes
    [(content, stored)] = won.items()
    assert store.find(KEY) == stored
    assert content_of(store, stored, folder) == content


def test_a_reader_sees_one_complete_version_during_writes(
    store: LakeStore, url: str, folder: Path
) -> None:
    files = [new_file(folder, bytes([n]) * 50_000, {"number": str(n)}) for n in range(30)]
    stored, done = store.put(files[0], KEY, replacing=None), threading.Event()

    def write() -> None:
        before = stored
        for file in files[1:]:
            before = store.put(file, KEY, replacing=before)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    reader, seen = open_store(url), []
    while not done.is_set() and thread.is_alive():
        seen.append(reader.find(KEY))
    thread.join()

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


def test_a_copy_has_the_attributes_that_are_given(store: LakeStore, folder: Path) -> None:
    source = store.put(new_file(folder, b"audited", ATTRIBUTES, rows=7), OTHER_KEY, replacing=None)
    given = {**ATTRIBUTES, "rejects": "rejects-1.parquet"}
    copied = store.copy(source, KEY, replacing=None, attributes=given)
    assert store.find(KEY) == copied
    assert (copied.rows, copied.sha256, copied.attributes) == (7, source.sha256, given)
    again = store.copy(source, KEY, replacing=copied, attributes={})
    assert store.find(KEY) == again
    assert (again.rows, again.sha256, again.attributes) == (7, source.sha256, {})
    assert store.find(OTHER_KEY) == source


def test_a_copy_does_not_depend_on_its_source(store: LakeStore, folder: Path) -> None:
    source = store.put(new_file(folder, b"old", ATTRIBUTES), OTHER_KEY, replacing=None)
    copied = store.copy(source, KEY, replacing=None)
    store.put(new_file(folder, b"newer"), OTHER_KEY, replacing=source)
    store.delete(OTHER_KEY)

    assert store.find(KEY) == copied
    assert content_of(store, copied, folder) == b"old"


def test_a_copy_replaces_only_the_expected_version(store: LakeStore, folder: Path) -> None:
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


def test_a_deleted_source_is_not_copied(store: LakeStore, folder: Path) -> None:
    audited = store.put(new_file(folder, b"audited"), OTHER_KEY, replacing=None)
    store.delete(OTHER_KEY)

    with pytest.raises(ConcurrentWrite, match="deleted by another run"):
        store.copy(audited, KEY, replacing=None)

    assert store.find(KEY) is None


def test_an_object_that_changed_is_not_fetched(store: LakeStore, folder: Path) -> None:
    old = store.put(new_file(folder, b"old"), KEY, replacing=None)
    store.put(new_file(folder, b"new"), KEY, replacing=old)
    with pytest.raises(ConcurrentWrite, match="another run"):
        store.fetch(old, folder / "fetched")


def test_a_deleted_object_is_not_fetched(store: LakeStore, folder: Path) -> None:
    old = store.put(new_file(folder, b"old"), KEY, replacing=None)
    store.delete(KEY)
    with pytest.raises(ConcurrentWrite, match="deleted by another run"):
        store.fetch(old, folder / "fetched")


def test_objects_of_the_same_name_are_fetched_into_one_folder(
    store: LakeStore, folder: Path
) -> None:
    key = KEY.replace("month=01", "month=02")
    january = store.put(new_file(folder, b"january"), KEY, replacing=None)
    february = store.put(new_file(folder, b"february"), key, replacing=None)

    paths = [store.fetch(month, folder / "fetched") for month in (january, february)]

    assert [path.read_bytes() for path in paths] == [b"january", b"february"]
    assert {path.suffix for path in paths} == {".parquet"}


def test_keys_are_filtered_by_prefix_and_sorted(store: LakeStore, folder: Path) -> None:
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


@pytest.mark.parametrize("key", ["../out", "raw/../../out", "/out", "raw//x", ".facts/x", "", "."])
def test_a_key_that_leaves_the_lake_is_refused(key: str, store: LakeStore, folder: Path) -> None:
    stored = store.put(new_file(folder, b"x"), KEY, replacing=None)
    with pytest.raises(Misconfigured, match="not a key"):
        store.find(key)
    with pytest.raises(Misconfigured, match="not a key"):
        store.put(new_file(folder, b"y"), key, replacing=None)
    with pytest.raises(Misconfigured, match="not a key"):
        store.copy(stored, key, replacing=None)
    with pytest.raises(Misconfigured, match="not a key"):
        store.delete(key)
    assert list(store.keys("")) == [KEY]


def test_a_missing_object_can_be_deleted(store: LakeStore, folder: Path) -> None:
    store.put(new_file(folder, b"x"), KEY, replacing=None)
    store.delete(KEY)
    store.delete(KEY)
    assert store.find(KEY) is None
    assert list(store.keys("")) == []


def test_an_object_is_stored_in_many_parts(store: LakeStore, folder: Path) -> None:
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


def test_an_attribute_may_have_any_text(store: LakeStore, folder: Path) -> None:
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


def test_an_empty_file_is_stored(store: LakeStore, folder: Path) -> None:
    empty = store.put(new_file(folder, b"", ATTRIBUTES, rows=0), KEY, replacing=None)
    assert store.find(KEY) == empty
    assert (empty.size, empty.rows) == (0, 0)
    assert content_of(store, empty, folder) == b""
    assert store.copy(empty, OTHER_KEY, replacing=None).size == 0


def test_a_parquet_file_is_read_back(store: LakeStore, folder: Path) -> None:
    path = folder / "trips.parquet"
    pq.write_table(pa.table({"trip_id": range(1000)}), path)
    new = new_file(folder, path.read_bytes(), ATTRIBUTES, rows=1000)
    fetched = store.fetch(store.put(new, KEY, replacing=None), folder / "fetched")
    assert pq.ParquetFile(fetched).read().column("trip_id").to_pylist() == list(range(1000))


def test_an_object_of_another_program_is_found_with_its_sha256_and_rows(
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


def test_a_damaged_file_of_another_program_can_be_replaced(
    store: LakeStore, url: str, folder: Path
) -> None:
    lakes.put_by_hand(url, KEY, b"PAR1 and then nothing")
    found = store.get(KEY, remedy="")
    assert found.rows is None
    assert store.put(new_file(folder, b"ours"), KEY, replacing=found) == store.find(KEY)


def test_a_killed_writer_leaves_one_complete_object(
    store: LakeStore, url: str, folder: Path
) -> None:
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
