"""The command behind ``make ui``, running: web server, daemon and code servers on loopback.

It knows when they are ready, asks them, and ends them; the tests know what to expect.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import psutil

from taxi_assets_tests.emulators.server import free_port

_START_SECONDS = 180.0
_END_SECONDS = 60.0

_READY = """{
  repositoriesOrError { ... on RepositoryConnection { nodes { name } } }
  instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } }
}"""
_NEEDED = {"BACKFILL", "QUEUED_RUN_COORDINATOR"}

Value = TypeVar("Value")


class Stack:
    """``python -m taxi_assets ui`` with everything it keeps in ``home``, and TLC at ``tlc_url``.

    A context manager; ready when entered. Raises ``RuntimeError`` with its last words otherwise.
    """

    def __init__(self, home: Path, tlc_url: str) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = home.parent / f"{home.name}-ui.log"
        self._env = {
            **{name: text for name, text in os.environ.items() if not name.startswith("TAXI_")},
            "TAXI_HOME": str(home),
            "TAXI_TLC_URL": tlc_url,
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        self._env.pop("DAGSTER_HOME", None)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        port = self.url.rpartition(":")[2]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "taxi_assets", "ui", "--port", port],
                env=self._env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_for(self._ready, seconds=_START_SECONDS, what="Dagster's pages and daemon")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def run(self, dataset: str, months: str) -> None:
        """What ``make run`` does, on the same records; raises if a month fails."""
        command = [sys.executable, "-m", "taxi_assets", "run", "--datasets", dataset]
        subprocess.run(
            [*command, "--months", months], env=self._env, check=True, stdout=subprocess.DEVNULL
        )

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.home / "warehouse.duckdb"

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> Any:
        """GraphQL's ``data``; raises ``RuntimeError`` with what it says is wrong."""
        answer = httpx.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables or {}}, timeout=30
        ).json()
        if answer.get("errors"):
            raise RuntimeError(str(answer["errors"]))
        return answer["data"]

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The command's own process, while entered."""
        assert self._process is not None
        return self._process

    def processes(self) -> list[psutil.Process]:
        """Everything that the command has started and that is alive, itself first."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def stop(self) -> None:
        """End the command, and with it Dagster's processes and the runs that still go."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(_END_SECONDS)

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"make ui ended at once:\n{self.log.read_text()[-4000:]}")
        try:
            data = self.ask(_READY)
        except (httpx.HTTPError, ValueError):
            return False
        statuses = data["instance"]["daemonHealth"]["allDaemonStatuses"]
        healthy = {each["daemonType"] for each in statuses if each["healthy"]}
        return bool(data["repositoriesOrError"].get("nodes")) and healthy >= _NEEDED


def wait_for(ask: Callable[[], Value], *, seconds: float, what: str) -> Value:
    """The first answer that is true; raises ``RuntimeError`` when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.2)
    raise RuntimeError(f"{what}: not within {seconds:.0f} s")
