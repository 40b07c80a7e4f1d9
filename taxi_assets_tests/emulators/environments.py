"""Install emulators from their lock files, and check whether an installation is current.

Lock files (``locks/``) contain versions and hashes; pip and npm choose the registry.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from taxi_assets_tests.emulators.server import Unavailable

ROOT = Path(__file__).parents[2]
LOCKS = Path(__file__).parent / "locks"
_STAMP = "installed-from"


def home(name: str) -> Path:
    """The emulator's folder."""
    return ROOT / ".venvs" / name


def installed(name: str, *locks: Path) -> Path:
    """The emulator's folder; raises ``Unavailable`` unless it is current."""
    if not is_current(name, *locks):
        raise Unavailable(
            f"the {name} emulator is not installed; "
            f"run python -m taxi_assets_tests.emulators.install {name}"
        )
    return home(name)


def is_current(name: str, *locks: Path) -> bool:
    """Whether the installation is complete and from these locks."""
    stamp = home(name) / _STAMP
    return stamp.is_file() and stamp.read_text() == _digest(locks)


@contextmanager
def building(name: str, *locks: Path) -> Iterator[Path]:
    """An empty folder to install into; current only if the block succeeds."""
    folder = home(name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    (folder / _STAMP).write_text(_digest(locks))


def install_python(folder: Path, python: Path, lock: Path) -> None:
    """Create a virtual environment of ``python`` with exactly the packages in ``lock``."""
    run([python, "-m", "venv", folder])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    exactly = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    run([*pip, "--disable-pip-version-check", *exactly, "--requirement", str(lock)])


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run an installer's command; raises ``Unavailable`` with its output if it fails."""
    env = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(map(str, command))
        raise Unavailable(f"`{words}` failed:\n{(done.stderr or done.stdout)[-4000:]}")


def _digest(locks: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for lock in locks:
        digest.update(lock.read_bytes())
    return digest.hexdigest()
