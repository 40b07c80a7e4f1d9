"""A proxy in front of PostgreSQL that disturbs messages of its clients.

The protocol is https://www.postgresql.org/docs/current/protocol-message-formats.html. What counts
as a request: a start-up message, a query, the end of a pipeline, a piece and the end of COPY data.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from typing_extensions import override

from taxi_assets_tests.emulators.loopback_proxy import Address, LoopbackProxy
from taxi_assets_tests.faults.wire_faults import DELAY_SECONDS, Fault, Plan, Stage

__all__ = ["PostgresProxy"]

_REQUESTS = {b"Q": "query", b"S": "sync", b"d": "copy data", b"c": "end of copy"}
_CHUNK = 1 << 18
_SSL_REQUESTS = (80877103, 80877104)  # for TLS and GSSAPI; answered by one byte


class PostgresProxy(LoopbackProxy):
    """Forwards from a free port on loopback to ``server``, in threads, during the block."""

    def __init__(self, server: Address, plan: Plan) -> None:
        super().__init__(0, server, _Session)
        self.plan = plan


class _Session(socketserver.BaseRequestHandler):
    """One connection; answers are forwarded by a thread of their own."""

    @override
    def handle(self) -> None:
        assert isinstance(self.server, PostgresProxy)
        self._client: socket.socket = self.request
        self._fault: Fault | None = None
        with socket.create_connection(self.server.server) as self._server:
            for each in (self._client, self._server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._answers, daemon=True).start()
            with suppress(OSError):
                for name, message in self._messages():
                    if not self._forwarded(name, message):
                        break
            self._close()

    def _forwarded(self, name: str, message: bytes) -> bool:
        """Forward a message, unless the fault that hits it says otherwise."""
        assert isinstance(self.server, PostgresProxy)
        fault = self.server.plan.next(f"postgres {name}") if name else None
        if fault is not None and fault.delayed:
            time.sleep(DELAY_SECONDS)
        elif fault is not None and fault.silent:
            self._fault = fault
            while self._client.recv(_CHUNK):
                pass
            return False
        elif fault is not None and fault.stage is Stage.REQUEST:
            return False
        elif fault is not None and fault.stage is Stage.BODY:
            self._server.sendall(message[: len(message) // 2])
            return False
        elif fault is not None:
            self._fault = fault
        self._server.sendall(message)
        # Nothing answers a piece of COPY data.
        return self._fault is None or name != "copy data"

    def _answers(self) -> None:
        with suppress(OSError):
            while data := self._server.recv(_CHUNK):
                fault = self._fault
                if fault is None:
                    self._client.sendall(data)
                elif not fault.silent:
                    if fault.stage is Stage.ANSWER:
                        self._client.sendall(data[: len(data) // 2])
                    break
        self._close()

    def _close(self) -> None:
        for each in (self._client, self._server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _messages(self) -> Iterator[tuple[str, bytes]]:
        """Each message, with what counts as a request by its name."""
        while True:
            length = self._read(4)
            body = self._read(int.from_bytes(length, "big") - 4)
            asks = int.from_bytes(body[:4], "big") in _SSL_REQUESTS
            yield "" if asks else "start", length + body
            if not asks:
                break
        while True:
            kind = self._read(1)
            length = self._read(4)
            body = self._read(int.from_bytes(length, "big") - 4)
            name = _REQUESTS.get(kind, "")
            if kind == b"Q":
                name = f"query {body[:40].decode(errors='replace')}"
            yield name, kind + length + body

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._client.recv(size - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data
