"""A server of raw bytes on loopback, for answers that no HTTP library would send."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self


class Exchange:
    """One request, and the socket to answer it on."""

    def __init__(self, connection: socket.socket, request: bytes, closing: threading.Event) -> None:
        self.request = request
        self.method = request.split(b" ", 1)[0].decode()
        self._connection = connection
        self._closing = closing

    def header(self, name: str) -> str | None:
        for line in self.request.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    def send(self, *parts: bytes) -> None:
        self._connection.sendall(b"".join(parts))

    def drip(self, parts: Iterable[bytes], seconds: float = 0.02) -> None:
        """Send one part after the other, until the server closes."""
        for part in parts:
            if self._closing.wait(seconds):
                return
            self.send(part)

    def hang(self) -> None:
        """Send nothing until the server closes."""
        self._closing.wait()


Answer = Callable[[Exchange], None]


class Wire:
    """Answers every request by ``answer`` and then closes the connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._lock:
                    self._open.add(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                received = connection.recv(65536)
                if not received:
                    return
                request += received
            self.requests.append(request)
            self._answer(Exchange(connection, request, self._closing))
            # Without this, a request that is still unread resets the connection: the client may
            # then lose what was sent.
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        with self._lock:
            self._open.discard(connection)


def head(status: str = "200 OK", **headers: str | bytes) -> bytes:
    """A status line and headers; ``_`` in a name is ``-``."""
    lines = [f"HTTP/1.1 {status}".encode(), b"Connection: close"]
    for name, value in headers.items():
        text = value if isinstance(value, bytes) else value.encode("latin-1")
        lines.append(name.replace("_", "-").encode() + b": " + text)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def whole(body: bytes, status: str = "200 OK", **headers: str | bytes) -> Answer:
    """An answer with that body, or only its headers to a HEAD."""

    def answer(exchange: Exchange) -> None:
        lengths: dict[str, str | bytes] = {"Content_Length": str(len(body))}
        exchange.send(head(status, **(lengths | headers)))
        if exchange.method != "HEAD":
            exchange.send(body)

    return answer
