"""The state of one simulator, shared by its connections, and the server that owns them."""

from __future__ import annotations

import socket
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from taxi_assets.simulator.faults import Faults
from taxi_assets.simulator.objects import Checksums

__all__ = ["LoggedRequest", "Site", "SiteServer", "disconnect"]


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request for a file and the status of its response."""

    method: str
    path: str
    range: str | None
    if_range: str | None
    if_none_match: str | None
    status: int


@dataclass(slots=True)
class Site:
    """The state that all connections of one simulator share."""

    folder: Path
    faults: Faults = field(default_factory=Faults)
    requests: list[LoggedRequest] = field(default_factory=list)
    checksums: Checksums = field(default_factory=Checksums)
    stopping: threading.Event = field(default_factory=threading.Event)


class SiteServer(ThreadingHTTPServer):
    """A threaded HTTP server that keeps track of its open connections."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, site: Site, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.site = site
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection in a thread of its own, and register it."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Unregister a connection that has ended."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report any error but that of a client that disconnected."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def disconnect_all(self) -> None:
        """Close the connections that clients keep alive."""
        with self._lock:
            for connection in self._open:
                disconnect(connection)


def disconnect(connection: socket.socket) -> None:
    """Close a connection in both directions, if it is still open."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
