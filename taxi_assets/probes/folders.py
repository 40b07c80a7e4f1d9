"""Folders of this machine: whether they may be written, and removing those that a probe made."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

__all__ = ["existing", "remove_empty", "require_writable"]


def existing(path: Path) -> Path:
    """``path``, or the nearest folder above it that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def require_writable(path: Path) -> str:
    """Write where ``path`` is or will be made; returns what is free there, raises ``OSError``."""
    folder = existing(path)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"check")
        file.flush()
    return f"{shutil.disk_usage(folder).free / 1e9:,.0f} GB free"


def remove_empty(path: Path, until: Path) -> None:
    """Remove ``path`` and the folders above it, up to ``until``, as long as they are empty."""
    for each in (path, *path.parents):
        if each == until or (each.exists() and any(each.iterdir())):
            return
        if each.exists():
            each.rmdir()
