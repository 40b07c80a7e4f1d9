"""What only a local lake has: files that others can copy, touch, link and read."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_assets.errors import Misconfigured
from taxi_assets.lake.local import LocalStore
from taxi_assets.lake.local_facts import LocalFacts
from taxi_assets.lake.store import sha256_of
from taxi_assets_tests.lake.files import new_file

KEY = "trips/green/year=2024/month=01/trips.parquet"
OTHER_KEY = "staging/green/2024-01/trips.parquet"
ATTRIBUTES = {"etag": '"abc-1"', "audit": "passed"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that the store has hashed."""
    paths: list[Path] = []

    def recorded(path: Path) -> str:
        paths.append(path)
        return sha256_of(path)

    monkeypatch.setattr(f"{LocalStore.__module__}.sha256_of", recorded)
    return paths


def files(root: Path) -> set[str]:
    """All files below ``root`` but the locks and the facts."""
    found = (path for path in root.rglob("*") if path.is_file())
    names = {path.relative_to(root).as_posix() for path in found}
    return {each for each in names if not each.startswith(".facts/") and ".lock" not in each}


def copied(root: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", root, target], check=True)


def packed(root: Path, target: Path) -> None:
    """Through an archive that keeps whole seconds of times."""
    archive = target.with_suffix(".tar")
    subprocess.run(["tar", "--format=gnu", "-C", root, "-cf", archive, "."], check=True)
    target.mkdir()
    subprocess.run(["tar", "-C", target, "-xf", archive], check=True)


def touched(root: Path, target: Path) -> None:
    root.rename(target)
    for path in target.rglob("*.parquet"):
        os.utime(path)


@pytest.mark.parametrize("restore", [copied, packed, touched])
def test_a_restored_lake_knows_its_objects_and_reads_each_once(
    restore: object, root: Path, tmp_path: Path, hashed: list[Path]
) -> None:
    before = LocalStore(root)
    stored = before.put(new_file(tmp_path, b"x", ATTRIBUTES, rows=7), KEY, replacing=None)
    assert callable(restore)
    restore(root, tmp_path / "restored")

    for _ in range(2):
        found = LocalStore(tmp_path / "restored").get(KEY, remedy="")
        assert (found.sha256, found.rows, found.attributes) == (stored.sha256, 7, ATTRIBUTES)
    assert len(hashed) == 1
    facts = list((tmp_path / "restored" / ".facts").rglob("*.json"))
    assert [path.stem for path in facts] == [found.version]


def test_of_two_facts_with_one_content_those_of_the_restored_file_are_found(
    root: Path, tmp_path: Path
) -> None:
    store = LocalStore(root)
    stored = store.put(new_file(tmp_path, b"x", ATTRIBUTES), KEY, replacing=None)
    # A writer was killed between the facts and the file.
    unwritten = {"sha256": stored.sha256, "etag": "of another time"}
    for version in ("1-1-1", "9999999999-1-9999999999"):
        LocalFacts(root).write(KEY, version, unwritten, tmp_path / "facts")
    copied(root, tmp_path / "restored")

    assert LocalStore(tmp_path / "restored").get(KEY, remedy="").attributes == ATTRIBUTES


def test_a_changed_file_has_none_of_the_facts(root: Path, tmp_path: Path) -> None:
    store = LocalStore(root)
    store.put(new_file(tmp_path, b"x", ATTRIBUTES), KEY, replacing=None)
    (root / KEY).write_bytes(b"changed by hand")
    assert store.get(KEY, remedy="").attributes == {}


def test_a_file_of_another_program_is_read_once(
    root: Path, tmp_path: Path, hashed: list[Path]
) -> None:
    path = root / KEY
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"n": range(42)}), path)
    found = {LocalStore(root).get(KEY, remedy="").rows for _ in range(3)}
    assert found == {42}
    assert len(hashed) == 1


def test_damaged_facts_count_as_none(root: Path, tmp_path: Path) -> None:
    store = LocalStore(root)
    stored = store.put(new_file(tmp_path, b"x", ATTRIBUTES), KEY, replacing=None)
    next((root / ".facts").rglob("*.json")).write_text("")
    found = store.get(KEY, remedy="")
    assert (found.sha256, found.attributes) == (stored.sha256, {})


def test_a_copy_is_stored_where_links_are_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    store = LocalStore(root)
    source = store.put(new_file(tmp_path, b"x", ATTRIBUTES), OTHER_KEY, replacing=None)
    copy = store.copy(source, KEY, replacing=None)
    assert (copy.sha256, copy.attributes) == (source.sha256, ATTRIBUTES)
    assert (root / KEY).read_bytes() == b"x"
    assert files(root) == {KEY, OTHER_KEY}


def test_a_write_leaves_no_other_file(root: Path, tmp_path: Path) -> None:
    store = LocalStore(root)
    first = store.put(new_file(tmp_path, b"x"), KEY, replacing=None)
    store.copy(first, OTHER_KEY, replacing=None)
    store.put(new_file(tmp_path, b"y"), KEY, replacing=first)
    del store
    assert files(root) == {KEY, OTHER_KEY}


def test_temporary_files_of_a_killed_writer_are_removed_but_not_of_a_running_one(
    root: Path, tmp_path: Path
) -> None:
    processes = []
    for name in ("killed", "running"):
        code = f"""
import sys, pathlib
from taxi_assets.lake.local import LocalStore
from taxi_assets_tests.lake.files import new_file
store, folder = LocalStore(pathlib.Path({str(root)!r})), pathlib.Path({str(tmp_path)!r})
store.put(new_file(folder, b"x"), "assets/{name}.parquet", replacing=None)
temporary = store._temporary()
temporary.write_bytes(b"half of a month")
print(temporary, flush=True)
sys.stdin.read()
"""
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        processes.append((process, Path(process.stdout.readline().strip())))
    (killed, abandoned), (running, used) = processes
    killed.kill()
    killed.wait()
    assert abandoned.exists()

    LocalStore(root).put(new_file(tmp_path, b"x"), KEY, replacing=None)
    assert (abandoned.exists(), used.exists()) == (False, True)
    running.communicate()
    assert files(root) == {KEY, "assets/killed.parquet", "assets/running.parquet"}


def test_a_root_that_is_a_link_is_resolved_once(root: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    root.symlink_to(tmp_path / "disk")
    store = LocalStore(root)
    stored = store.put(new_file(tmp_path, b"x"), KEY, replacing=None)
    assert stored.uri == f"{root.as_uri()}/{KEY}"

    root.unlink()
    root.symlink_to(tmp_path / "other")
    assert store.find(KEY) == stored
    assert (tmp_path / "disk" / KEY).exists()


@pytest.mark.parametrize("linked", ["trips", "trips/green/year=2024/month=01", KEY])
def test_links_below_the_root_are_not_followed(linked: str, root: Path, tmp_path: Path) -> None:
    store = LocalStore(root)
    stored = store.put(new_file(tmp_path, b"x", ATTRIBUTES), KEY, replacing=None)
    outside = tmp_path / "outside"
    (root / linked).rename(outside)
    (root / linked).symlink_to(outside)

    assert list(store.keys("")) == []
    with pytest.raises(Misconfigured, match="symbolic link"):
        store.find(KEY)
    with pytest.raises(Misconfigured, match="symbolic link"):
        store.fetch(stored, tmp_path / "fetched")
    with pytest.raises(Misconfigured, match="symbolic link"):
        store.copy(stored, OTHER_KEY, replacing=None)
    with pytest.raises(Misconfigured, match="symbolic link"):
        store.put(new_file(tmp_path, b"y"), KEY, replacing=stored)
    with pytest.raises(Misconfigured, match="symbolic link"):
        store.delete(KEY)
    assert (outside if outside.is_file() else next(outside.rglob("*.*"))).read_bytes() == b"x"


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_files_and_folders_follow_the_umask(mask: int, root: Path, tmp_path: Path) -> None:
    with umask(mask):
        store = LocalStore(root)
        stored = store.put(new_file(tmp_path, b"x"), KEY, replacing=None)
        store.copy(stored, OTHER_KEY, replacing=None)
    modes = {path.stat().st_mode & 0o777 for path in root.rglob("*") if "run-" not in str(path)}
    assert modes == {0o666 & ~mask, 0o777 & ~mask}
