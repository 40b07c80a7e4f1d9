"""Debian's packages, for what no other registry carries: PostgreSQL, and Node.js where missing."""

from __future__ import annotations

import os
import shutil

from taxi_assets_tests.emulators.environments import run
from taxi_assets_tests.emulators.server import Unavailable


def install_package(name: str) -> None:
    """Install one package; raise ``Unavailable`` where that is not ours to do."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Unavailable(f"{name} is missing; install it with your system's package manager")
    run(["apt-get", "update", "-q"])
    quietly = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "--yes"]
    run([*quietly, "--no-install-recommends", name])
