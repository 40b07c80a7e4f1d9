"""Tests stay on this machine: a connection to anywhere else is refused, and fails its test.

Belongs here: the guard. Does not: the fixtures that use it (``conftest``).

Python's own sockets are watched by an audit hook, which no library can go around or cache away.
Clients with sockets of their own (gRPC, Rust, DuckDB) and child processes are out of its reach:
for these the environment names a proxy that is not there.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys

_NO_PROXY_THERE = "http://127.0.0.1:1"
_LOCAL_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", ""}

refused: list[str] = []
"""What was refused since the list was last emptied."""


class LeftThisMachine(RuntimeError):
    """A test reached for a host that is not this one.

    Not an ``OSError``: what retries or explains network errors must not take it for one.
    """


def guard() -> None:
    """Refuse from now on; there is no way back, for audit hooks stay."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ[name] = os.environ[name.upper()] = _NO_PROXY_THERE
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    sys.addaudithook(_watch)


def is_local(host: str) -> bool:
    """Whether a name or address is this machine's, without asking a name server."""
    if host in _LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sock, address = args[:2]
        assert isinstance(sock, socket.SocketType)
        if sock.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            _refuse_unless_local(str(address[0]))
    elif event == "socket.getaddrinfo":
        host = args[0].decode() if isinstance(args[0], bytes) else args[0]
        if host is not None and not _to_listen_on(str(host)):
            _refuse_unless_local(str(host))


def _to_listen_on(host: str) -> bool:
    return host in ("0.0.0.0", "::")


def _refuse_unless_local(host: str) -> None:
    if not is_local(host):
        refused.append(host)
        raise LeftThisMachine(f"a test reached for {host}; tests talk to loopback only")
