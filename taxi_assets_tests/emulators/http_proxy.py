"""An HTTP/1.1 proxy in front of one server; a ``Visit`` sees each message and may disturb it.

Messages are streamed, and each request has a connection of its own to the server.
"""

from __future__ import annotations

import socket
import socketserver
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import h11
from typing_extensions import override

from taxi_assets_tests.emulators.loopback_proxy import Address, LoopbackProxy

__all__ = ["Cut", "HttpProxy", "Reply", "Silence", "Visit"]

_CHUNK = 1 << 18
# Of one connection, not of the message (RFC 9110, 7.6.1); the proxy itself answers ``Expect``.
_OWN_HEADERS = frozenset({b"connection", b"keep-alive", b"expect"})
_Message = h11.Request | h11.Response


class Cut(Exception):
    """Close the client's connection."""


class Silence(Exception):
    """Send nothing more, until the client gives up."""


@dataclass
class Reply(Exception):
    """Send this instead of the server's response."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class Visit:
    """One request and its response; each method may raise ``Cut``, ``Silence`` or ``Reply``."""

    def request(self, request: h11.Request) -> None:
        """The client has sent the head; the server has got nothing."""

    def request_data(self, data: bytes) -> None:
        """The client has sent a part of the body."""

    def request_end(self) -> None:
        """The client has sent the request; the server has not got its end."""

    def response(self, response: h11.Response) -> None:
        """The server has done its work; the client has got nothing."""

    def response_data(self, data: bytes) -> None:
        """The server has sent a part of the body; the client has got the parts before it."""

    def end(self) -> None:
        """Nothing more is exchanged, whether it was complete or not."""


class HttpProxy(LoopbackProxy):
    """Forwards from ``port`` (0: any) on loopback to ``server``; ``visit`` is called per request.

    Serves in threads of this process, during the block.
    """

    def __init__(self, port: int, server: Address, visit: Callable[[], Visit]) -> None:
        super().__init__(port, server, _Connection)
        self.visit = visit


class _Connection(socketserver.BaseRequestHandler):
    @override
    def handle(self) -> None:
        assert isinstance(self.server, HttpProxy)
        client = _Peer(self.request, h11.SERVER)
        with suppress(Cut, OSError, h11.RemoteProtocolError):
            while isinstance(request := client.next(), h11.Request):
                _exchange(client, request, self.server)
                client.start_next_request()


class _Peer:
    """One side's connection, as HTTP events."""

    def __init__(
        self, connection: socket.socket, role: type[h11.CLIENT] | type[h11.SERVER]
    ) -> None:
        # Head and body are sent apart; without this the second waits for an acknowledgement.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self._http = h11.Connection(role, max_incomplete_event_size=1 << 20)

    @property
    def wants_continue(self) -> bool:
        return self._http.they_are_waiting_for_100_continue

    @property
    def is_sending(self) -> bool:
        return self._http.their_state is h11.SEND_BODY

    def next(self) -> h11.Event:
        while not isinstance(event := self._http.next_event(), h11.Event):
            if event is h11.PAUSED:  # a second request before the first is answered
                raise Cut
            self._http.receive_data(self.socket.recv(_CHUNK))
        return event

    def body(self) -> Iterator[bytes]:
        while isinstance(event := self.next(), h11.Data):
            yield bytes(event.data)
        if not isinstance(event, h11.EndOfMessage):
            raise Cut

    def send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self.socket.sendall(data)

    def start_next_request(self) -> None:
        if self._http.our_state is h11.MUST_CLOSE or self._http.their_state is h11.MUST_CLOSE:
            raise Cut
        self._http.start_next_cycle()


def _exchange(client: _Peer, request: h11.Request, proxy: HttpProxy) -> None:
    visit = proxy.visit()
    try:
        visit.request(request)
        with socket.create_connection(proxy.server) as connection:
            server = _Peer(connection, h11.CLIENT)
            _forward_request(client, request, server, visit)
            _forward_response(server, client, proxy, visit)
    except Reply as reply:
        _answer(client, request.method, reply)
    except Silence:
        while client.socket.recv(_CHUNK):
            pass
        raise Cut from None
    finally:
        visit.end()


def _forward_request(client: _Peer, request: h11.Request, server: _Peer, visit: Visit) -> None:
    headers = [*_kept(request), (b"Connection", b"close")]
    server.send(h11.Request(method=request.method, target=request.target, headers=headers))
    _continue(client)
    for data in client.body():
        visit.request_data(data)
        server.send(h11.Data(data=data))
    visit.request_end()
    server.send(h11.EndOfMessage())


def _forward_response(server: _Peer, client: _Peer, proxy: HttpProxy, visit: Visit) -> None:
    while isinstance(response := server.next(), h11.InformationalResponse):
        pass
    if not isinstance(response, h11.Response):
        raise Cut
    visit.response(response)
    # An upload's session goes through the proxy too.
    old, new = (b":%d/" % port for port in (proxy.server[1], proxy.port))
    headers = [
        (name, value.replace(old, new, 1) if name.lower() == b"location" else value)
        for name, value in _kept(response)
    ]
    status, reason = response.status_code, response.reason
    client.send(h11.Response(status_code=status, reason=reason, headers=headers))
    for data in server.body():
        visit.response_data(data)
        client.send(h11.Data(data=data))
    client.send(h11.EndOfMessage())


def _answer(client: _Peer, method: bytes, reply: Reply) -> None:
    _continue(client)
    if client.is_sending:
        for _ in client.body():
            pass
    headers = [*reply.headers.items(), ("Content-Length", str(len(reply.body)))]
    client.send(h11.Response(status_code=reply.status, headers=headers))
    if method != b"HEAD":
        client.send(h11.Data(data=reply.body))
    client.send(h11.EndOfMessage())


def _continue(client: _Peer) -> None:
    if client.wants_continue:
        client.send(h11.InformationalResponse(status_code=100, headers=[]))


def _kept(message: _Message) -> list[tuple[bytes, bytes]]:
    return [
        (name, value)
        for name, value in message.headers.raw_items()
        if name.lower() not in _OWN_HEADERS
    ]
