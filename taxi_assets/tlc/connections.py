"""Connections of a client: to hosts that may be reached, and never slower than the ``Pace``.

httpcore's network backend is where both can be enforced: a name is resolved once and the address
that was checked is the one that is connected to.
https://www.encode.io/httpcore/network-backends/
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from taxi_assets.tlc.pace import Pace
from taxi_assets.tlc.redirects import RedirectRefused, is_public

__all__ = ["Connections"]


class Connections(httpcore.NetworkBackend):
    """Opens connections; ``site_host`` is the configured host, None for connections to a proxy.

    Another host than the configured one was chosen by a redirect: it must not be in a private
    network unless the configured one is.
    """

    def __init__(self, site_host: str | None) -> None:
        self._site_host = site_host
        self._site_is_public = True
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of ``host`` that accepts."""
        addresses = _resolved(host, port)
        self._check(host, addresses)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return _Stream(
                    self._backend.connect_tcp(
                        address,
                        port,
                        Pace.current().seconds(timeout),
                        local_address,
                        socket_options,
                    )
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _check(self, host: str, addresses: list[str]) -> None:
        public = all(is_public(address) for address in addresses)
        if host == self._site_host:
            self._site_is_public = public
        elif self._site_host is not None and self._site_is_public and not public:
            raise RedirectRefused(f"redirects to {host}, which is in a private network")


class _Stream(httpcore.NetworkStream):
    """A connection that keeps the current ``Pace``."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        pace = Pace.current()
        received = self._stream.read(max_bytes, pace.seconds(timeout))
        pace.count(len(received))
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, Pace.current().seconds(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        seconds = Pace.current().seconds(timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _resolved(host: str, port: int) -> list[str]:
    """The numeric addresses of ``host``, in the resolver's order."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that no name can have
        raise httpcore.ConnectError(f"{host} cannot be resolved ({error})") from error
    return [str(address[0]) for *_, address in found]
