"""A loopback HTTP server that sends a test's prepared responses and records the requests.

Or none: a status of ``CUT`` closes the connection, and ``SILENT`` keeps it open until the end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT, SILENT = 0, -1


@dataclass
class Response:
    """Sent for ``times`` requests of ``method`` (any, if empty) whose path and query contain
    ``part``.
    """

    method: str
    part: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    times: int = 1_000_000

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in ("", method) and self.part in path


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Canned:
    """The first matching response is sent; 404 if none matches."""

    url: str = ""
    responses: list[Response] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def headers_of(self, method: str, part: str = "") -> dict[str, str]:
        """The headers of the only request of ``method`` whose path and query contain ``part``."""
        [one] = [one for one in self.requests if one.method == method and part in one.path]
        return one.headers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    canned: Canned

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.canned.requests.append(Request(self.command, self.path, headers))
        response = next(
            (each for each in self.canned.responses if each.matches(self.command, self.path)),
            Response(self.command, "", 404),
        )
        response.times -= 1
        if response.status in (CUT, SILENT):
            self.close_connection = True
            if response.status == SILENT:
                self.canned.ended.wait()
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        body = b"" if self.command == "HEAD" else response.body.encode()
        if "Content-Length" not in response.headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the base class's names


@contextmanager
def running() -> Iterator[Canned]:
    """A server on a free loopback port, stopped after the block."""
    canned = Canned()
    handler = type("Handler", (_Handler,), {"canned": canned})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    canned.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield canned
    finally:
        canned.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
