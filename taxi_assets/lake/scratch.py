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


class RunFolder:
    """A folder for this process below ``root`` (``None``: the system's temporary folder).

    It is removed when the object is deleted or the process ends. It is locked while in use, so that
    the next process with the same root can remove the folders of killed processes.
    """

    def __init__(self, root: Path | None) -> None:
        if root is None:
            self.path, lock = _make(None)
        else:
            root.mkdir(parents=True, exist_ok=True)
            # Lock the root, so that no process removes a new folder before it is locked.
            with _opened(root) as root_lock:
                fcntl.flock(root_lock, fcntl.LOCK_EX)
                _remove_abandoned(root)
                self.path, lock = _make(root)
        self.remove = weakref.finalize(self, _remove, self.path, lock)


def _make(root: Path | None) -> tuple[Path, int]:
    """A new folder and the file descriptor that locks it."""
    path = Path(tempfile.mkdtemp(prefix="run-", dir=root))
    lock = os.open(path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return path, lock


def _remove(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob("run-*"):
        try:
            with _opened(folder) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # its process is running


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
