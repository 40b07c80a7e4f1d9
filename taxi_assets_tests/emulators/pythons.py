"""Find a Python interpreter of another version than the current one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from taxi_assets_tests.emulators.server import Unavailable


def find_python(version: str) -> Path:
    """An interpreter of ``version`` (``3.13``), from PATH, pyenv, the system or uv.

    Raises ``Unavailable``, which says what to install, if there is none.
    """
    for candidate in _candidates(version):
        if _version_of(candidate) == version:
            return candidate
    raise Unavailable(
        f"Python {version} is not installed; run "
        f"`pyenv install {version}` or `uv python install {version}`"
    )


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)
    for pyenv in (os.environ.get("PYENV_ROOT"), "~/.pyenv"):
        if pyenv:
            yield from Path(pyenv).expanduser().glob(f"versions/{version}*/bin/python")
    yield Path(f"/usr/bin/python{version}")
    yield Path(f"/usr/local/bin/python{version}")
    if shutil.which("uv"):
        known = ["uv", "python", "find", "--no-python-downloads", version]
        found = subprocess.run(known, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            yield Path(found.stdout.strip())


def _version_of(python: Path) -> str | None:
    """The interpreter's version; ``None`` for a pyenv shim on PATH without a version."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
