"""Block connections to other machines during tests; a test that tries one fails (``conftest``).

An audit hook checks Python's sockets, which no library can bypass. It does not cover clients with
their own sockets (gRPC, Rust, DuckDB) or child processes: for these, the environment sets a proxy
that does not exist.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys

_NO_PROXY_THERE = "http://127.0.0.1:1"
_LOCAL_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", ""}

refused: list[str] = []
"""The hosts blocked since the list was last cleared."""


class LeftThisMachine(RuntimeError):
    """A test connected to another machine.

    Not an ``OSError``, so that code which retries or translates network errors does not catch it.
    """


def guard() -> None:
    """Block connections from now on; audit hooks cannot be removed."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ[name] = os.environ[name.upper()] = _NO_PROXY_THERE
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    sys.addaudithook(_watch)


def is_local(host: str) -> bool:
    """Whether a name or address is of this machine, without a DNS query."""
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
            _block_unless_local(str(address[0]))
    elif event == "socket.getaddrinfo":
        host = args[0].decode() if isinstance(args[0], bytes) else args[0]
        if host is not None and not _is_listen_address(str(host)):
            _block_unless_local(str(host))


def _is_listen_address(host: str) -> bool:
    return host in ("0.0.0.0", "::")


def _block_unless_local(host: str) -> None:
    if not is_local(host):
        refused.append(host)
        raise LeftThisMachine(f"a test connected to {host}; tests may use loopback only")
