"""Temporary folders for runs, removed when the run ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["RunFolder"]

_LOCK = ".lock"


class RunFolder:
    """A folder for this process below ``root`` (``None``: the system's temporary folder).

    It is removed when the object is deleted or the process ends. A file in it is locked while it is
    in use, so that the next process with the same root can remove the folders of killed processes.
    Only the user can read it, and ``root`` unless that existed before.
    """

    def __init__(self, root: Path | None) -> None:
        if root is None:
            self.path, lock = _make(None)
        else:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Lock the root, so that no process removes a new folder before it is locked.
            with _opened(root / _LOCK) as root_lock:
                fcntl.flock(root_lock, fcntl.LOCK_EX)
                _remove_abandoned(root)
                self.path, lock = _make(root)
        self.remove = weakref.finalize(self, _remove, self.path, lock)


def _make(root: Path | None) -> tuple[Path, int]:
    """A new folder and the file descriptor that locks it."""
    path = Path(tempfile.mkdtemp(prefix="run-", dir=root))
    # A file, because NFS locks no folder: it needs a descriptor that can write.
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return path, lock


def _remove(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob("run-*"):
        try:
            # Without the file, its process was killed before it locked it.
            with _opened(folder / _LOCK) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # its process is running


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield handle
    finally:
        os.close(handle)
