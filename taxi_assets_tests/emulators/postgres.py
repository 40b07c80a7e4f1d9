"""PostgreSQL: the system's own server on a throw-away cluster, as fast as durability allows."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from taxi_assets_tests.emulators.debian import install_package
from taxi_assets_tests.emulators.environments import run
from taxi_assets_tests.emulators.server import HOST, Unavailable, free_port, serving, workspace

_SUPERUSER = "postgres"
_SYSTEM_USER = "postgres"  # Debian's package makes it
_DEBIAN = Path("/usr/lib/postgresql")
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Postgres:
    """A running server that trusts who reaches it, on loopback or in ``socket_folder``."""

    port: int
    socket_folder: Path
    user: str = _SUPERUSER
    database: str = "postgres"

    @property
    def url(self) -> str:
        """Of the default database, over loopback."""
        return f"postgresql://{self.user}@{HOST}:{self.port}/{self.database}"

    @property
    def environment(self) -> dict[str, str]:
        """What points libpq, and so every client built on it, at the server."""
        return {
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": self.database,
        }


def install() -> None:
    """Have the system's package manager bring the server, unless it is there."""
    if _programs() is None:
        install_package("postgresql")


@contextmanager
def running() -> Iterator[Postgres]:
    """An empty cluster, for the length of the block."""
    programs = _programs()
    if programs is None:
        raise Unavailable(
            "PostgreSQL's server is not installed; "
            "run python -m taxi_assets_tests.emulators.install postgres"
        )
    port = free_port()
    with workspace("postgres") as folder:
        become = _become_unprivileged(folder)
        data = folder / "data"
        trusting = ["--auth=trust", f"--username={_SUPERUSER}", "--no-sync"]
        encoding = ["--encoding=UTF8", "--locale=C.UTF-8"]
        initdb = [*become, str(programs / "initdb"), f"--pgdata={data}"]
        run([*initdb, *trusting, *encoding], cwd=folder)
        settings = [word for setting in _NOT_DURABLE for word in ("-c", setting)]
        address = ["-h", HOST, "-p", str(port), "-k", str(folder)]
        with serving(
            [*become, str(programs / "postgres"), "-D", str(data), *address, *settings],
            ready=partial(_accepts, programs / "pg_isready", port),
            folder=folder,
            stop_with=signal.SIGINT,  # SIGTERM would wait for every client to leave
        ):
            yield Postgres(port, folder)


def _programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: Debian keeps them off PATH, by version."""
    versions = [p for p in _DEBIAN.glob("*/bin") if (p / "initdb").exists()]
    if versions:
        return max(versions, key=lambda p: [int(n) for n in re.findall(r"\d+", p.parent.name)])
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _become_unprivileged(folder: Path) -> list[str]:
    """The start of a command that the server, which refuses to run as root, is run with."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, _SYSTEM_USER)
    return ["setpriv", f"--reuid={_SYSTEM_USER}", f"--regid={_SYSTEM_USER}", "--init-groups"]


def _accepts(pg_isready: Path, port: int) -> bool:
    asking = ["--quiet", f"--host={HOST}", f"--port={port}", f"--username={_SUPERUSER}"]
    return subprocess.run([str(pg_isready), *asking], check=False).returncode == 0
