"""The facts of a local lake's objects, which files cannot carry: sha256, rows, attributes."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["LocalFacts", "make_folder", "sync", "version_of"]


class LocalFacts:
    """JSON files ``root/.facts/<key>/<version>.json``, as in ``NewObject.described()``."""

    def __init__(self, root: Path) -> None:
        self._root = root / ".facts"

    def read(self, key: str, version: str) -> dict[str, str]:
        """The facts of that version; empty if there are none."""
        return _read(self._path(key, version))

    def write(self, key: str, version: str, facts: Mapping[str, str], temporary: Path) -> None:
        """Store the facts, durably; ``temporary`` is a new file in the same file system."""
        path = self._path(key, version)
        make_folder(path.parent)
        temporary.write_text(json.dumps(facts, indent=1))
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)

    def of_content(self, key: str, version: str, sha256: str) -> dict[str, str]:
        """The facts of another version of ``key`` with the same content; empty if there are none.

        A copied or restored file has another inode, a touched one another time. Several versions
        have the same content if a writer was killed; the one most like ``version`` is the file's.
        """
        found = [
            (_alike(path.stem, version), facts)
            for path in self._paths(key)
            if (facts := _read(path)).get("sha256") == sha256
        ]
        return max(found, key=lambda each: each[0], default=(0, {}))[1]

    def delete(self, key: str, *, keep: str | None) -> None:
        """Delete the facts of all versions but ``keep``."""
        for path in self._paths(key):
            if path.stem != keep:
                path.unlink(missing_ok=True)

    def _path(self, key: str, version: str) -> Path:
        return self._root / key / f"{version}.json"

    def _paths(self, key: str) -> Iterator[Path]:
        return (self._root / key).glob("*.json")


def version_of(stat: os.stat_result) -> str:
    """Inode, size and time: a rename keeps them, a new file has others."""
    return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"


def _alike(one: str, other: str) -> int:
    return sum(a == b for a, b in zip(one.split("-"), other.split("-"), strict=False))


def _read(path: Path) -> dict[str, str]:
    try:
        facts: dict[str, str] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # damaged by a power failure: as if it were lost
        return {}
    return facts


def make_folder(folder: Path) -> None:
    """Create ``folder`` and its parents, durably."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def sync(path: Path) -> None:
    """Write a file, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a file system that cannot do it
            raise
    finally:
        os.close(handle)
