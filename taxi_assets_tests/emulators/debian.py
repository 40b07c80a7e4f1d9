"""Install Debian packages: PostgreSQL, and Node.js if it is missing."""

from __future__ import annotations

import os
import shutil

from taxi_assets_tests.emulators.environments import run
from taxi_assets_tests.emulators.server import Unavailable


def install_package(name: str) -> None:
    """Install a package; raises ``Unavailable`` without apt-get or root."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Unavailable(f"{name} is not installed; install it with your package manager")
    run(["apt-get", "update", "-q"])
    quietly = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "--yes"]
    run([*quietly, "--no-install-recommends", name])
