"""Local disk for files on their way: a folder per run, gone when the run is.

Belongs here: making and removing those folders. Does not: what lies in them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class RunFolder:
    """A folder of this process below ``root`` (``None``: the system's temporary folder).

    It is removed with its object, at the latest when the process ends. It is locked while in use:
    whoever makes the next one below the same root removes those whose process was killed.
    """

    def __init__(self, root: Path | None) -> None:
        if root is None:
            self.path, lock = _make(None)
        else:
            root.mkdir(parents=True, exist_ok=True)
            # One at a time: nobody may sweep a folder that is made and not yet locked.
            with _opened(root) as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                _sweep(root)
                self.path, lock = _make(root)
        self.remove = weakref.finalize(self, _remove, self.path, lock)


def _make(root: Path | None) -> tuple[Path, int]:
    """A new folder and the open handle that locks it."""
    path = Path(tempfile.mkdtemp(prefix="run-", dir=root))
    lock = os.open(path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return path, lock


def _remove(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def _sweep(root: Path) -> None:
    for folder in root.glob("run-*"):
        try:
            with _opened(folder) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # its process is at work


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
