"""Servers on loopback that keep the notifications they receive."""

from __future__ import annotations

import json
import socketserver
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs


@dataclass(frozen=True, slots=True)
class Post:
    """One request: its path, headers, and body as JSON or form fields."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class _Sink:
    """A server in a thread, stopped at the end of the block."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self._server.server_address[1]


class HttpSink(_Sink):
    """Accepts posts; ``answer`` is the status and body of the next responses."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answer: tuple[int, bytes] = (200, b'{"ok": true}')
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                json_sent = "json" in self.headers["Content-Type"]
                body = json.loads(raw) if json_sent else {k: v[0] for k, v in parse_qs(raw).items()}
                sink.posts.append(Post(self.path, dict(self.headers), body))
                status, answer = sink.answer
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named so in the base class
                return

        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), Handler))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(slots=True)
class Mail:
    """One delivery: the envelope and the message."""

    sender: str
    to: list[str] = field(default_factory=list)
    message: EmailMessage = field(default_factory=EmailMessage)


class SmtpSink(_Sink):
    """Accepts mail, offers a login but no TLS; ``commands`` are the client's commands."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.commands: list[str] = []
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 sink")
                while line := self.rfile.readline().decode().strip():
                    sink.commands.append(line)
                    verb = line.split(" ")[0].upper()
                    if verb == "MAIL":
                        self._mail = Mail(line.partition("<")[2].partition(">")[0])
                    elif verb == "RCPT":
                        self._mail.to.append(line.partition("<")[2].partition(">")[0])
                    elif verb == "DATA":
                        self._take()
                    if verb == "QUIT":
                        self._say("221 bye")
                        return
                    self._say("250-sink\r\n250 AUTH PLAIN" if verb == "EHLO" else "250 ok")

            def _take(self) -> None:
                self._say("354 go on")
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line.replace(b"\r\n", b"\n"))
                self._mail.message = message_from_bytes(b"".join(lines), policy=policy.default)
                sink.mails.append(self._mail)

            def _say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        super().__init__(Server(("127.0.0.1", 0), Handler))

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"
