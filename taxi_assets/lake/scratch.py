"""Local disk for files on their way: a folder per run, gone when the run is.

Belongs here: making and removing those folders. Does not: what lies in them.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import IO

_LOCK = ".lock"


class RunFolder:
    """A folder of this process below ``root`` (``None``: the system's temporary folder).

    It is removed with its object, at the latest when the process ends. It is locked while in use:
    whoever makes the next one below the same root removes those whose process was killed.
    """

    def __init__(self, root: Path | None) -> None:
        if root is not None:
            root.mkdir(parents=True, exist_ok=True)
            _sweep(root)
        self.path = Path(tempfile.mkdtemp(prefix="run-", dir=root))
        lock = (self.path / _LOCK).open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.remove = weakref.finalize(self, _remove, self.path, lock)


def _remove(path: Path, lock: IO[bytes]) -> None:
    shutil.rmtree(path, ignore_errors=True)
    lock.close()


def _sweep(root: Path) -> None:
    for folder in root.glob("run-*"):
        try:
            with (folder / _LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # its process is at work, or has not come to lock it yet
