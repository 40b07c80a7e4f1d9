"""A lake in a local folder, the default."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from typing_extensions import override

from taxi_assets.errors import Misconfigured
from taxi_assets.lake.local_facts import LocalFacts, make_folder, sync, version_of
from taxi_assets.lake.scratch import RunFolder
from taxi_assets.lake.store import (
    LakeObject,
    LakeStore,
    NewObject,
    check_key,
    concurrent_write,
    facts_of,
    rows_of,
    sha256_of,
)

__all__ = ["LocalStore", "link_or_copy"]

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
    """Objects are files below ``root``; ``LocalFacts`` has their attributes.

    A file is written to ``root/.incoming`` and renamed, and is on the disk before it is renamed, so
    that neither a killed process nor a power failure loses a month. Its facts are stored by
    version, before the file appears, and deleted after it was replaced, so that the file always has
    its own. ``root`` may be a symbolic link; links below it are not followed.
    """

    def __init__(self, root: Path) -> None:
        self.url = root.absolute().as_uri()
        self.root = root.resolve()
        self._facts = LocalFacts(self.root)

    @override
    def find(self, key: str) -> LakeObject | None:
        path = self._path(key)
        try:
            found = path.lstat()
            if not stat.S_ISREG(found.st_mode):
                return None
            version = version_of(found)
            facts = self._facts.read(key, version)
            if not facts and _version_at(path) == version:
                facts = self._identified(key, path, version)
            if not facts:
                return self.find(key)  # replaced since the lstat()
        except FileNotFoundError:
            return None
        sha256, rows, attributes = facts_of(facts)
        return LakeObject(self.uri(key), key, found.st_size, version, sha256, rows, attributes)

    @override
    def put(self, new: NewObject, key: str, *, replacing: LakeObject | None) -> LakeObject:
        def create(temporary: Path) -> None:
            shutil.move(new.path, temporary)

        return self._replace(key, create, new, replacing)

    @override
    def copy(
        self,
        source: LakeObject,
        key: str,
        *,
        replacing: LakeObject | None,
        attributes: Mapping[str, str] | None = None,
    ) -> LakeObject:
        def create(temporary: Path) -> None:
            # Objects are replaced, never modified, so two keys may share one file.
            self._hold(source, temporary)

        given = source.attributes if attributes is None else attributes
        new = NewObject(self._path(source.key), source.sha256, source.rows, given)
        return self._replace(key, create, new, replacing)

    @override
    def fetch(self, source: LakeObject, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{source.sha256[:16]}-{Path(source.key).name}"
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            self._hold(source, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)  # also after replacing a link to the same file
        return path

    @override
    def keys(self, prefix: str) -> Iterator[str]:
        found = []
        for folder, folders, names in os.walk(self.root / prefix.rpartition("/")[0]):
            folders[:] = [name for name in folders if not name.startswith(".")]
            paths = (Path(folder, name) for name in names if not name.startswith("."))
            found += [
                path.relative_to(self.root).as_posix() for path in paths if not path.is_symlink()
            ]
        return (key for key in sorted(found) if key.startswith(prefix))

    @override
    def delete(self, key: str) -> None:
        path = self._path(key)
        if path.exists():
            with self._locked():
                # The facts first: without their object, no later run would find and delete them.
                self._facts.delete(key, keep=None)
                path.unlink(missing_ok=True)

    def _replace(
        self,
        key: str,
        create: Callable[[Path], object],
        new: NewObject,
        replacing: LakeObject | None,
    ) -> LakeObject:
        path, temporary = self._path(key), self._temporary()
        try:
            create(temporary)
            sync(temporary)
            make_folder(path.parent)
            with self._locked():
                if _version_at(path) != (replacing and replacing.version):
                    raise concurrent_write(self.uri(key))
                version = version_of(temporary.stat())
                self._facts.write(key, version, new.described(), self._temporary())
                temporary.replace(path)
                sync(path.parent)
                self._facts.delete(key, keep=version)
        finally:
            temporary.unlink(missing_ok=True)
        return self.get(key, remedy="It was deleted while it was written: run it again.")

    def _identified(self, key: str, path: Path, version: str) -> dict[str, str]:
        """The facts of a file without any, by its sha256; empty if it was replaced meanwhile.

        It was copied, restored or touched, or another program wrote it. They are kept, so that it
        is read only once.
        """
        sha256, rows = sha256_of(path), rows_of(path)
        read = NewObject(path, sha256, rows).described()
        facts = self._facts.of_content(key, version, sha256) or read
        if _version_at(path) != version:
            return {}
        # Without the right to write, or on a full disk, it is read again the next time.
        with suppress(OSError), self._locked():
            if _version_at(path) == version:
                self._facts.write(key, version, facts, self._temporary())
                self._facts.delete(key, keep=version)
        return facts

    def _path(self, key: str) -> Path:
        check_key(key)
        path = self.root / key
        if path.resolve() != path:
            raise Misconfigured(
                f"{self.uri(key)} is a symbolic link, or below one.",
                "Links inside a lake are not followed: move the files into the lake's folder, or "
                "mount the other one there.",
            )
        return path

    def _temporary(self) -> Path:
        return self._incoming.path / uuid.uuid4().hex

    @cached_property
    def _incoming(self) -> RunFolder:
        folder = self.root / ".incoming"
        make_folder(folder)
        return RunFolder(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lake's lock, so that comparing versions and renaming is atomic."""
        with (self.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _hold(self, source: LakeObject, target: Path) -> None:
        with suppress(FileNotFoundError):  # deleted meanwhile
            link_or_copy(self._current(source), target)
        self._current(source)  # if it was replaced meanwhile, the link may be to its successor

    def _current(self, source: LakeObject) -> Path:
        path = self._path(source.key)
        if _version_at(path) != source.version:
            raise concurrent_write(source.uri)
        return path


def _version_at(path: Path) -> str | None:
    try:
        return version_of(path.lstat())
    except FileNotFoundError:
        return None
