"""What the connections of one simulator share, and the server that owns them.

Belongs here: the site's state, the log of requests, open connections. Does not: answering
(``handler``).
"""

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


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request for a file and the status it was answered with."""

    method: str
    path: str
    range: str | None
    if_range: str | None
    if_none_match: str | None
    status: int


@dataclass(slots=True)
class Site:
    """What all connections of one simulator share."""

    folder: Path
    faults: Faults = field(default_factory=Faults)
    requests: list[LoggedRequest] = field(default_factory=list)
    checksums: Checksums = field(default_factory=Checksums)
    stopping: threading.Event = field(default_factory=threading.Event)


class SiteServer(ThreadingHTTPServer):
    """A threaded HTTP server that knows its site and ends open connections when it stops."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, site: Site, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.site = site
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection in a thread of its own, and remember it while it lasts."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; let everything else be seen."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def hang_up_all(self) -> None:
        """End the connections that clients keep alive."""
        with self._lock:
            for connection in self._open:
                hang_up(connection)


def hang_up(connection: socket.socket) -> None:
    """End a connection in both directions; it may have ended already."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
