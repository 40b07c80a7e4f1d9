"""Run a server process on loopback: choose a port, start it, wait until it is ready, stop it."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_LOG_TAIL = 4000


class Unavailable(Exception):
    """Something the emulator needs is not installed; the message says what to do."""


class ServerFailed(Exception):
    """The server ended or did not become ready; the message ends with its log."""


def free_port() -> int:
    """A free loopback port that no other test worker chooses.

    It is not reserved until the server binds it, so each worker chooses from its own pairs of
    ports (Linux itself assigns only odd or only even ones).
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        if port // 2 % workers == worker:
            return port


def answers_http(port: int, path: str = "/") -> bool:
    """Whether there is any HTTP response, even an error."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_START_SECONDS)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


@contextmanager
def workspace(name: str) -> Iterator[Path]:
    """A temporary folder for a server's data and log."""
    path = Path(tempfile.mkdtemp(prefix=f"taxi-{name}-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def serving(
    command: Sequence[str | Path],
    *,
    ready: Callable[[], bool],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    stop_with: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Run ``command`` during the block, which starts once ``ready()`` is true.

    The process has its own process group, so that its children are stopped too, and it does not
    get Ctrl-C from the terminal. Raises ``ServerFailed`` if it is not ready within a minute.
    """
    log = folder / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**_inherited(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with _watchdog(process.pid, stop_with):
            _wait_until_ready(process, ready, log)
            yield
    finally:
        _stop(process, stop_with)


@contextmanager
def _watchdog(group: int, stop_with: signal.Signals) -> Iterator[None]:
    """Stop the server even if this process is killed.

    A shell waits for input that is never sent. When this process dies, its input ends, and it
    signals the server.
    """
    with subprocess.Popen(
        ["sh", "-c", f"read -r _; kill -{stop_with.value} -{group}"],
        stdin=subprocess.PIPE,
        start_new_session=True,
    ) as watchdog:
        try:
            yield
        finally:
            watchdog.kill()


def _inherited() -> dict[str, str]:
    # A server connects to loopback only, and not every client in it (DuckDB) supports NO_PROXY.
    return {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}


def _wait_until_ready(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready() or process.poll() is not None:
        try:
            process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
            problem = f"was not ready within {_START_SECONDS:.0f} s"
        else:
            problem = f"ended with exit code {process.returncode}"
        tail = log.read_bytes()[-_LOG_TAIL:].decode(errors="replace")
        raise ServerFailed(f"{process.args!r} {problem}. Its log ends:\n{tail}")


def _stop(process: subprocess.Popen[bytes], stop_with: signal.Signals) -> None:
    for sent in (stop_with, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, sent)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
