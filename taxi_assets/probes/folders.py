"""Folders of this machine: may they be written, and remove those that a probe made."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from taxi_assets.errors import Misconfigured

__all__ = ["existing", "remove_empty", "require_writable"]


def existing(path: Path) -> Path:
    """``path``, or the nearest folder above it that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def require_writable(path: Path) -> str:
    """Write where ``path`` is or will be made; returns what is free there.

    Raises ``OSError``, and ``Misconfigured`` if something in the folder belongs to another user.
    """
    folder = existing(path)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"check")
        file.flush()
    if folder == path:
        closed = [each for each in path.iterdir() if not os.access(each, os.W_OK)]
        if closed:
            raise Misconfigured(
                f"{closed[0]} cannot be written by this user.",
                f"Give it the owner that runs this, as `chown -R USER {path}` does.",
            )
    return f"{shutil.disk_usage(folder).free / 1e9:,.0f} GB free"


def remove_empty(path: Path, until: Path) -> None:
    """Remove ``path`` and the folders above it, up to ``until``, as long as they are empty."""
    for each in (path, *path.parents):
        if each == until or (each.exists() and any(each.iterdir())):
            return
        if each.exists():
            each.rmdir()
