"""An HTTP server on loopback for the client's tests, with ETags, ranges and injected faults.

It shares no code with the client or the simulator, so that it cannot share their mistakes.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LAST_MODIFIED = "Thu, 22 Aug 2024 14:20:07 GMT"
ACCESS_DENIED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
)


def md5_etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


@dataclass
class Served:
    """One published file; ``headers`` are sent too, ``ranges`` False ignores Range."""

    body: bytes
    etag: str | None
    last_modified: str | None = LAST_MODIFIED
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True


@dataclass(frozen=True)
class Fault:
    """What one request gets instead of a proper response."""

    status: int = 0  # answer with it
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None  # bytes of the body, then the connection is cut
    drop: bool = False  # the connection is cut without a response
    hang: bool = False  # no response, or nothing after the cut, until the site is closed
    trickle: bool = False  # a header that never ends, so that no read times out


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    at: float


class Site:
    """The server; each of ``faults`` is served to one of the next requests."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.faults: deque[Fault] = deque()
        self.faults_of: dict[str, Fault] = {}  # served to every request for that path
        self.seen: list[Seen] = []
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.busy = 0
        self.busiest = 0
        self.rendezvous: threading.Barrier | None = None  # requests wait for each other
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.site = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def publish(self, path: str, body: bytes) -> Served:
        served = self.files[path] = Served(body, md5_etag(body))
        return served

    def requests(self, method: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == method]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    site: Site

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that disconnects is part of these tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass

    def do_HEAD(self) -> None:
        self._counted()

    def do_GET(self) -> None:
        self._counted()

    def _counted(self) -> None:
        site = self.server.site
        headers = {name.lower(): value for name, value in self.headers.items()}
        with site.lock:
            site.seen.append(Seen(self.command, self.path, headers, time.monotonic()))
            fault = site.faults_of.get(self.path) or (
                site.faults.popleft() if site.faults else None
            )
            site.busy += 1
            site.busiest = max(site.busiest, site.busy)
        if site.rendezvous:
            site.rendezvous.wait()
        with site.lock:
            site.busy -= 1  # before the response: the client may send the next request at once
        self._answer(fault or Fault())

    def _answer(self, fault: Fault) -> None:
        served = self.server.site.files.get(self.path)
        if fault.drop or (fault.hang and fault.cut_after is None):
            self.close_connection = True
        elif fault.trickle:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
            while not self.server.site.closing.wait(0.02):
                self.wfile.write(b"x")
        elif fault.status:
            self._send(fault.status, fault.headers, b"trouble")
        elif served is None:
            self._send(403, {"Content-Type": "application/xml"}, ACCESS_DENIED)
        else:
            self._send_file(served, fault.cut_after)
        if fault.hang:
            self.server.site.closing.wait()

    def _send_file(self, served: Served, cut_after: int | None) -> None:
        headers = dict(served.headers)
        if served.etag:
            headers["ETag"] = served.etag
        if served.last_modified:
            headers["Last-Modified"] = served.last_modified
        if served.etag and self.headers.get("If-None-Match") == served.etag:
            self._send(304, headers, b"")
            return
        start = self._start(served)
        if start is None:
            self._send(200, headers, served.body, cut_after)
        elif start >= len(served.body):
            self._send(416, {"Content-Range": f"bytes */{len(served.body)}"}, b"")
        else:
            total = len(served.body)
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
            self._send(206, headers, served.body[start:], cut_after)

    def _start(self, served: Served) -> int | None:
        """The first byte asked for; None when the whole file is to be sent."""
        wanted = self.headers.get("Range")
        unchanged = self.headers.get("If-Range") in (served.etag, served.last_modified)
        if not wanted or not served.ranges or not unchanged:
            return None
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def _send(
        self, status: int, headers: dict[str, str], body: bytes, cut_after: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body if cut_after is None else body[:cut_after])
        if cut_after is not None:
            self.close_connection = True
