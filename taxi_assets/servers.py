"""Runs Dagster's web server and daemon on this machine, for ``make ui``.

Each starts a code server of its own from ``instance/workspace.yaml``
(https://docs.dagster.io/deployment/code-locations/workspace-yaml). Sharing one would save 160 MB
but need a port and a third process, and break the UI's *Reload definitions*. Deployments for
several people are in ``deploy/``.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Final

import httpx

from taxi_assets.errors import Misconfigured
from taxi_assets.instance import WORKSPACE

__all__ = ["serve"]

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
_HOST: Final = "127.0.0.1"  # Dagster's web server has no authentication
_STOP_TIMEOUT_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.1


# Ends the servers' process groups, whose numbers it reads, when its standard input is closed: also
# if this process is killed and cannot stop them itself.
_STOP_WHEN_KILLED: Final = (
    'while read -r group; do groups="$groups -$group"; done; '
    f"kill -s TERM -- $groups; sleep {_STOP_TIMEOUT_SECONDS:.0f}; kill -s KILL -- $groups"
)


def serve(port: int, home: Path) -> int:
    """Run both until Ctrl-C, SIGTERM or SIGHUP, or until one of them exits.

    Requires a prepared instance in ``DAGSTER_HOME``. Prints the URL once the UI answers. Returns 1
    if a server exited by itself, else 0. Raises ``Misconfigured`` if the port is in use or the
    servers of ``home`` are running, because two daemons would start every run twice.
    """
    url = f"http://{_HOST}:{port}"
    with _only_servers_of(home, url) as lock:
        _require_free(port)
        return _serve(port, url, lock)


def _serve(port: int, url: str, lock: IO[str]) -> int:
    workspace = ["--workspace", str(WORKSPACE)]
    web = ["--host", _HOST, "--port", str(port), "--dagster-log-level", "warning"]
    web += ["--code-server-log-level", "warning"]
    daemon = ["--log-level", "warning"]
    commands = [
        ["dagster-webserver", *workspace, *web],
        ["dagster-daemon", "run", *workspace, *daemon],
    ]
    try:
        with _signals_interrupt(), _running(commands, lock) as servers:
            if _ui_answers(port, servers):
                print(url, flush=True)
                # Wait for the first child to exit without reaping it, which Popen.poll() does.
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            exited = [
                command[0]
                for command, server in zip(commands, servers, strict=True)
                if server.poll() is not None
            ]
    except KeyboardInterrupt:
        return 0
    print(f"{' and '.join(exited)} exited unexpectedly; see its messages above.", file=sys.stderr)
    return 1


@contextmanager
def _only_servers_of(home: Path, url: str) -> Iterator[IO[str]]:
    """A locked file, which names ``url``; the system unlocks it when this process and the servers,
    which inherit it, have ended.
    """
    with (home / "servers.lock").open("a+") as lock:
        lock.seek(0)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(
                f"The UI and daemon of {home} are running already: {lock.read().strip()}.",
                "Open it, or stop it first. For another one, set another TAXI_HOME.",
            ) from None
        lock.truncate()
        lock.write(f"{url}, process {os.getpid()}\n")
        lock.flush()
        yield lock


def _require_free(port: int) -> None:
    if not 1 <= port <= 65535:
        raise Misconfigured(f"Port {port} does not exist.", "Choose one from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise Misconfigured(
                f"Port {port} is not available: {error.strerror}.",
                "Stop the process that uses it, or choose another port: --port or make ui PORT=…",
            ) from error


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP raise ``KeyboardInterrupt``, as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in _STOP_SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _running(
    commands: Sequence[Sequence[str]], lock: IO[str]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The servers, each in its own process group together with its code server and runs."""
    scripts = Path(sysconfig.get_path("scripts"))
    servers: list[subprocess.Popen[bytes]] = []
    watch = subprocess.Popen(
        ["sh", "-c", _STOP_WHEN_KILLED],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert watch.stdin is not None
    try:
        for name, *arguments in commands:
            server = subprocess.Popen(
                [scripts / name, *arguments], start_new_session=True, pass_fds=[lock.fileno()]
            )
            servers.append(server)
            watch.stdin.write(b"%d\n" % server.pid)
            watch.stdin.flush()
        yield servers
    finally:
        for each in (signal.SIGINT, *_STOP_SIGNALS):
            signal.signal(each, signal.SIG_IGN)  # further signals must not interrupt the stop
        _stop(servers)
        watch.kill()
        watch.wait()


def _stop(servers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Stop the servers; runs in progress are interrupted and recorded as failed."""
    groups = {server.pid for server in servers}
    deadline = time.monotonic() + _STOP_TIMEOUT_SECONDS
    _signal(groups, signal.SIGTERM)
    while groups and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        for server in servers:
            server.poll()  # reap the leader, or its group would remain
        groups = _signal(groups, 0)
    _signal(groups, signal.SIGKILL)
    for server in servers:
        server.wait()


def _signal(groups: set[int], number: int) -> set[int]:
    """Signal process groups; returns those that still exist."""
    existing = set()
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, number)
            existing.add(group)
    return existing


def _ui_answers(port: int, servers: Sequence[subprocess.Popen[bytes]]) -> bool:
    """Wait for the UI; false if a server exits first."""
    with httpx.Client(base_url=f"http://{_HOST}:{port}", timeout=5, trust_env=False) as client:
        while all(server.poll() is None for server in servers):
            with suppress(httpx.HTTPError):
                if client.get("/server_info").is_success:
                    return True
            time.sleep(_POLL_SECONDS)
    return False
