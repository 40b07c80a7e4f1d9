"""A lake in a local folder, the default."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import override

from taxi_assets.errors import ObjectMissing
from taxi_assets.lake.store import (
    MATERIALIZE_AGAIN,
    LakeObject,
    LakeStore,
    NewObject,
    concurrent_write,
    facts_of,
    rows_of,
    sha256_of,
)

__all__ = ["LocalStore", "link_or_copy"]

_FACTS = ".facts"  # files have no metadata, so it is stored in this folder under the same key

# exFAT, some network file systems, another file system, too many links, another owner's file
_NO_LINK = {
    errno.EPERM,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EXDEV,
    errno.EMLINK,
    errno.EACCES,
}


def link_or_copy(source: Path, target: Path) -> None:
    """Make ``target`` a hard link to ``source``, or a copy where the file system has no links.

    ``target`` appears complete, and replaces an existing file. The caller compares ``source``'s
    version after this with the one it expects.
    """
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        try:
            os.link(source, temporary)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            shutil.copyfile(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)  # a rename onto a link to the same file leaves both


class LocalStore(LakeStore):
    """Objects are files below ``root``; their attributes are JSON files in ``root/.facts``.

    A file is written under a temporary name and renamed. Its attributes are stored by version,
    written before the file appears and deleted after it was replaced: whenever a writer is killed,
    the file has its own attributes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.url = self.root.as_uri()

    @override
    def find(self, key: str) -> LakeObject | None:
        path = self.root / key
        try:
            stat = path.stat()
            version = _version(stat)
            sha256, rows, attributes = facts_of(self._facts(key, version))
            if not sha256 and _version(path.stat()) != version:
                return self.find(key)  # replaced since the stat(), and its facts deleted
            if not sha256:  # written by another program
                sha256, rows = sha256_of(path), rows_of(path)
        except FileNotFoundError:
            return None
        return LakeObject(self.uri(key), key, stat.st_size, version, sha256, rows, attributes)

    @override
    def put(self, new: NewObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        def create(temporary: Path) -> None:
            shutil.move(new.path, temporary)

        return self._replace(key, create, new, replacing)

    @override
    def copy(self, source: LakeObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        def create(temporary: Path) -> None:
            # Objects are replaced, never modified, so two keys may share one file.
            os.link(self._current(source), temporary)

        path = self.root / source.key
        new = NewObject(path, source.sha256, source.rows, source.attributes)
        return self._replace(key, create, new, replacing)

    @override
    def fetch(self, source: LakeObject, folder: Path) -> Path:
        return self._current(source)

    @override
    def keys(self, prefix: str) -> Iterator[str]:
        found = (path for path in self.root.rglob("*") if path.is_file())
        relative = sorted(path.relative_to(self.root).as_posix() for path in found)
        return (key for key in relative if key.startswith(prefix) and not _hidden(key))

    @override
    def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)
        self._delete_facts(key, keep=None)

    def _replace(
        self,
        key: str,
        create: Callable[[Path], object],
        new: NewObject,
        replacing: LakeObject | None,
    ) -> LakeObject:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            create(temporary)
            with self._locked():
                found = self.find(key)
                if (found and found.version) != (replacing and replacing.version):
                    raise concurrent_write(self.uri(key))
                version = _version(temporary.stat())
                self._write_facts(key, version, new)
                temporary.replace(path)
                self._delete_facts(key, keep=version)
        finally:
            temporary.unlink(missing_ok=True)
        return self.get(key, remedy="It was deleted while it was written: run it again.")

    def _facts(self, key: str, version: str) -> dict[str, str]:
        try:
            facts: dict[str, str] = json.loads(self._facts_path(key, version).read_text())
        except FileNotFoundError:
            return {}
        return facts

    def _write_facts(self, key: str, version: str, new: NewObject) -> None:
        path = self._facts_path(key, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{uuid.uuid4().hex}")
        temporary.write_text(json.dumps(new.described(), indent=1))
        temporary.replace(path)

    def _delete_facts(self, key: str, *, keep: str | None) -> None:
        folder = self.root / _FACTS / key
        for path in folder.glob("*") if folder.is_dir() else ():
            if path.stem != keep:
                path.unlink(missing_ok=True)

    def _facts_path(self, key: str, version: str) -> Path:
        return self.root / _FACTS / key / f"{version}.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lake's lock, so that comparing versions and renaming is atomic."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _current(self, source: LakeObject) -> Path:
        path = self.root / source.key
        try:
            version = _version(path.stat())
        except FileNotFoundError:
            raise ObjectMissing(f"{source.uri} no longer exists.", MATERIALIZE_AGAIN) from None
        if version != source.version:
            raise concurrent_write(source.uri)
        return path


def _version(stat: os.stat_result) -> str:
    """Inode, size and time: a rename keeps them, a new file has others."""
    return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"


def _hidden(key: str) -> bool:
    return any(part.startswith(".") for part in key.split("/"))
