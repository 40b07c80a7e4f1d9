"""A folder as the lake: the default on a laptop.

Belongs here: files, their atomic replacement, their attributes beside them. Does not: any other
store.
"""

from __future__ import annotations

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
    MATERIALISE_AGAIN,
    LakeObject,
    LakeStore,
    NewObject,
    facts_of,
    rows_of,
    sha256_of,
    written_meanwhile,
)

# A folder keeps no metadata with a file, so it lies here, below the root, under the same key.
_FACTS = ".facts"


class LocalStore(LakeStore):
    """Objects are files below ``root``; their attributes are JSON files in ``root/.facts``.

    A file is written beside its place and renamed onto it. Its attributes are filed by version,
    written before it appears and removed after it has gone: whenever a writer is killed, the file
    that is there has its own.
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
                return self.find(key)  # replaced between those lines, its facts forgotten
            if not sha256:  # put there by hand
                sha256, rows = sha256_of(path), rows_of(path)
        except FileNotFoundError:
            return None
        return LakeObject(self.uri(key), key, stat.st_size, version, sha256, rows, attributes)

    @override
    def put(self, new: NewObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        def place(temporary: Path) -> None:
            shutil.move(new.path, temporary)

        return self._replace(key, place, new, replacing)

    @override
    def copy(self, source: LakeObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        def place(temporary: Path) -> None:
            # Objects are replaced, never written into, so two keys may share one file.
            os.link(self._current(source), temporary)

        path = self.root / source.key
        new = NewObject(path, source.sha256, source.rows, source.attributes)
        return self._replace(key, place, new, replacing)

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
        self._forget_facts(key, keep=None)

    def _replace(
        self,
        key: str,
        place: Callable[[Path], object],
        new: NewObject,
        replacing: LakeObject | None,
    ) -> LakeObject:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            place(temporary)
            with self._writing():
                found = self.find(key)
                if (found and found.version) != (replacing and replacing.version):
                    raise written_meanwhile(self.uri(key))
                version = _version(temporary.stat())
                self._write_facts(key, version, new)
                temporary.replace(path)
                self._forget_facts(key, keep=version)
        finally:
            temporary.unlink(missing_ok=True)
        return self.get(key, remedy="It was removed by hand while it was written.")

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

    def _forget_facts(self, key: str, *, keep: str | None) -> None:
        folder = self.root / _FACTS / key
        for path in folder.glob("*") if folder.is_dir() else ():
            if path.stem != keep:
                path.unlink(missing_ok=True)

    def _facts_path(self, key: str, version: str) -> Path:
        return self.root / _FACTS / key / f"{version}.json"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the lake's one lock: comparing versions and renaming must be one act."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _current(self, source: LakeObject) -> Path:
        path = self.root / source.key
        try:
            version = _version(path.stat())
        except FileNotFoundError:
            raise ObjectMissing(f"{source.uri} is gone.", MATERIALISE_AGAIN) from None
        if version != source.version:
            raise written_meanwhile(source.uri)
        return path


def _version(stat: os.stat_result) -> str:
    """Inode, size and time; a rename keeps all three, any new file differs."""
    return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"


def _hidden(key: str) -> bool:
    return any(part.startswith(".") for part in key.split("/"))
