"""PostgreSQL: the system's server with a temporary cluster, without durability for speed."""

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
_SYSTEM_USER = "postgres"  # created by Debian's package
_DEBIAN = Path("/usr/lib/postgresql")
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Postgres:
    """A running server on loopback and in ``socket_folder``, without authentication."""

    port: int
    socket_folder: Path
    user: str = _SUPERUSER
    database: str = "postgres"

    @property
    def url(self) -> str:
        """The URL of the default database, over loopback."""
        return f"postgresql://{self.user}@{HOST}:{self.port}/{self.database}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for libpq and clients built on it."""
        return {
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": self.database,
        }


def install() -> None:
    """Install the server with the system's package manager, unless it is installed."""
    if _programs() is None:
        install_package("postgresql")


@contextmanager
def running() -> Iterator[Postgres]:
    """An empty cluster during the block."""
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
        access = ["--auth=trust", f"--username={_SUPERUSER}", "--no-sync"]
        encoding = ["--encoding=UTF8", "--locale=C.UTF-8"]
        initdb = [*become, str(programs / "initdb"), f"--pgdata={data}"]
        run([*initdb, *access, *encoding], cwd=folder)
        settings = [word for setting in _NOT_DURABLE for word in ("-c", setting)]
        address = ["-h", HOST, "-p", str(port), "-k", str(folder)]
        with serving(
            [*become, str(programs / "postgres"), "-D", str(data), *address, *settings],
            ready=partial(_accepts, programs / "pg_isready", port),
            folder=folder,
            stop_with=signal.SIGINT,  # SIGTERM would wait for every client to disconnect
        ):
            yield Postgres(port, folder)


def _programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; Debian has one per version, not on PATH."""
    versions = [p for p in _DEBIAN.glob("*/bin") if (p / "initdb").exists()]
    if versions:
        return max(versions, key=lambda p: [int(n) for n in re.findall(r"\d+", p.parent.name)])
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _become_unprivileged(folder: Path) -> list[str]:
    """The start of a command for the server, which does not run as root."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, _SYSTEM_USER)
    return ["setpriv", f"--reuid={_SYSTEM_USER}", f"--regid={_SYSTEM_USER}", "--init-groups"]


def _accepts(pg_isready: Path, port: int) -> bool:
    options = ["--quiet", f"--host={HOST}", f"--port={port}", f"--username={_SUPERUSER}"]
    return subprocess.run([str(pg_isready), *options], check=False).returncode == 0
