"""Dagster's web server and daemon on this machine, ended together: what ``make ui`` starts.

Both find the code by ``instance/workspace.yaml`` and start a code server of their own
(https://docs.dagster.io/deployment/code-locations/workspace-yaml); one for both would save 160 MB,
and cost a port, a third process to watch and the UI's *Reload definitions*. Servers for several
people are in ``deploy/``.
"""

from __future__ import annotations

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
from typing import Final

import httpx

from taxi_assets.errors import Misconfigured
from taxi_assets.instance import WORKSPACE

__all__ = ["serve"]

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_HOST: Final = "127.0.0.1"  # Dagster's web server asks nobody who they are
_ENDING_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.1


def serve(port: int) -> int:
    """Run both until Ctrl-C, SIGTERM or SIGHUP, or until one of them ends.

    ``DAGSTER_HOME`` is set and its instance prepared: two servers must not create it at once.
    Prints the URL when the page answers. Returns 1 if a server ended by itself, else 0. Raises
    ``Misconfigured`` when the port is taken.
    """
    _require_free(port)
    workspace = ["--workspace", str(WORKSPACE)]
    web = ["--host", _HOST, "--port", str(port), "--dagster-log-level", "warning"]
    web += ["--code-server-log-level", "warning"]
    daemon = ["--log-level", "warning"]
    commands = [
        ["dagster-webserver", *workspace, *web],
        ["dagster-daemon", "run", *workspace, *daemon],
    ]
    try:
        with _signals_interrupt(), _running(commands) as servers:
            if _page_answers(port, servers):
                print(f"http://{_HOST}:{port}", flush=True)
                # Whichever child ends first; it stays a zombie, for its Popen to ask about.
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            ended = [
                command[0]
                for command, server in zip(commands, servers, strict=True)
                if server.poll() is not None
            ]
    except KeyboardInterrupt:
        return 0
    print(f"{' and '.join(ended)} ended by itself; its messages are above.", file=sys.stderr)
    return 1


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise Misconfigured(
                f"Port {port} cannot be had: {error.strerror}.",
                "End what listens there, or choose another one: --port, or make ui PORT=…",
            ) from error


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP end this process as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as it is called
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in _ENDING}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _running(commands: Sequence[Sequence[str]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The servers, each the leader of a process group, which their code servers and runs join."""
    scripts = Path(sysconfig.get_path("scripts"))
    servers: list[subprocess.Popen[bytes]] = []
    try:
        for name, *arguments in commands:
            servers.append(subprocess.Popen([scripts / name, *arguments], start_new_session=True))
        yield servers
    finally:
        for each in (signal.SIGINT, *_ENDING):
            signal.signal(each, signal.SIG_IGN)  # the first one is enough; this is not cut short
        _end(servers)


def _end(servers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Runs that are under way are interrupted, and recorded so."""
    groups = {server.pid for server in servers}
    deadline = time.monotonic() + _ENDING_SECONDS
    _signal(groups, signal.SIGTERM)
    while groups and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        for server in servers:
            server.poll()  # the group is there as long as nobody has asked for its leader's end
        groups = _signal(groups, 0)
    _signal(groups, signal.SIGKILL)
    for server in servers:
        server.wait()


def _signal(groups: set[int], number: int) -> set[int]:
    """Signal process groups; returns those that are still there."""
    there = set()
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, number)
            there.add(group)
    return there


def _page_answers(port: int, servers: Sequence[subprocess.Popen[bytes]]) -> bool:
    """Wait until it does; false if a server has ended before."""
    with httpx.Client(base_url=f"http://{_HOST}:{port}", timeout=5, trust_env=False) as client:
        while all(server.poll() is None for server in servers):
            with suppress(httpx.HTTPError):
                if client.get("/server_info").is_success:
                    return True
            time.sleep(_POLL_SECONDS)
    return False
