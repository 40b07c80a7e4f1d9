"""The server of a proxy on loopback, with a thread for each connection."""

from __future__ import annotations

import socketserver
import threading
from typing import Self

from typing_extensions import override

__all__ = ["Address", "LoopbackProxy"]

Address = tuple[str, int]


class LoopbackProxy(socketserver.ThreadingTCPServer):
    """Listens on ``port`` (0: any) during the block; ``session`` forwards to ``server``."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, port: int, server: Address, session: type[socketserver.BaseRequestHandler]
    ) -> None:
        super().__init__(("127.0.0.1", port), session)
        self.server = server
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @override
    def __enter__(self) -> Self:
        self._thread.start()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        # The client went away, which is a right of clients and what many tests are about.
        pass
