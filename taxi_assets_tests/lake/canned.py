"""A loopback HTTP server that gives the answers a test wrote down and remembers the questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """Given to every request of ``method`` whose path and query hold ``part``."""

    method: str
    part: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Canned:
    """The first answer that fits is given; a request that none fits gets 404."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def headers_of(self, method: str, part: str = "") -> dict[str, str]:
        """The headers of the one request of ``method`` whose path and query hold ``part``."""
        [one] = [one for one in self.asked if one.method == method and part in one.path]
        return one.headers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    canned: Canned

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.canned.asked.append(Asked(self.command, self.path, headers))
        answer = next(
            (
                answer
                for answer in self.canned.answers
                if answer.method == self.command and answer.part in self.path
            ),
            Answer(self.command, "", 404),
        )
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        body = b"" if self.command == "HEAD" else answer.body.encode()
        if "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the base class's names


@contextmanager
def running() -> Iterator[Canned]:
    """A server on a free loopback port, stopped at the end."""
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
        server.shutdown()
        thread.join()
        server.server_close()
