"""A TCP proxy on loopback that goes silent, as one does whose way to the server is lost.

It stops forwarding but goes on to acknowledge what it receives, so that TCP has no reason to end a
connection. New ones are refused then, which only takes less time than their silence.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

__all__ = ["SilentProxy", "proxy_to"]

_CHUNK = 1 << 16


class SilentProxy:
    """Forwards to ``port`` until the client has sent ``trigger``; then it is silent, or cuts."""

    def __init__(self, port: int, trigger: bytes, then: Literal["silence", "cut"]) -> None:
        self._target, self._trigger, self._then = port, trigger, then
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self.triggered = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End all connections."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.triggered.is_set():
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if self._trigger in data and target.getpeername()[1] == self._target:
                    self.triggered.set()
                    if self._then == "cut":
                        self.close()
                if not self.triggered.is_set():
                    target.sendall(data)
        # The other connection stays as it is: a silent proxy does not tell the server.


@contextmanager
def proxy_to(
    port: int, trigger: bytes, then: Literal["silence", "cut"] = "silence"
) -> Iterator[SilentProxy]:
    """A proxy during the block."""
    proxy = SilentProxy(port, trigger, then)
    try:
        yield proxy
    finally:
        proxy.close()
