"""Finding a Python of a version other than the one that runs this."""

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

    Raises ``Unavailable`` with what to install where there is none.
    """
    for candidate in _candidates(version):
        if _version_of(candidate) == version:
            return candidate
    raise Unavailable(
        f"there is no Python {version} here; install one, with "
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
    """What the interpreter says it is: a pyenv shim on PATH may be of no version at all."""
    say = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run([python, "-c", say], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return said.stdout.strip() if said.returncode == 0 else None
