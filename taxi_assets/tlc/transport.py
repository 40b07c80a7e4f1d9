"""The transport of the client: httpx's interface over httpcore's pools, bounded and guarded.

Redirects are followed here, not by httpx, which logs their addresses with the query. Proxies are
those of the environment, as httpx uses them.
https://www.python-httpx.org/advanced/transports/
"""

from __future__ import annotations

import logging
import math
import ssl
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache

import httpcore
import httpx
from typing_extensions import override

from taxi_assets.errors import Misconfigured
from taxi_assets.tlc.connections import Connections
from taxi_assets.tlc.pace import Pace
from taxi_assets.tlc.redirects import RedirectRefused, Redirects

__all__ = ["Transport"]

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
# A window of the minimum rate, in read timeouts.
_WINDOW_TIMEOUTS = 2

# Its debug lines hold whole headers, and so the query of a redirect.
logging.getLogger("httpcore").setLevel(logging.INFO)


class Transport(httpx.BaseTransport):
    """Sends the requests of a client of ``site``, which may redirect to ``redirect_hosts``.

    A response that is slower than ``Pace`` allows ends in ``httpx.ReadTimeout``; the request's
    extension ``give_up_at`` is the deadline of all of it. Raises ``RedirectRefused``.
    """

    def __init__(self, site: httpx.URL, redirect_hosts: Collection[str]) -> None:
        self._redirects = Redirects(site, redirect_hosts)
        self._direct = _pool(Connections(site.raw_host.decode("ascii")))
        self._proxied = {
            scheme: _pool(Connections(None), proxy)
            for scheme, proxy in _environment_proxies().items()
        }

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        read_timeout: float = request.extensions["timeout"]["read"]
        pace = Pace(_WINDOW_TIMEOUTS * read_timeout, request.extensions.get("give_up_at", math.inf))
        url = request.url
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._send(request, url, pace)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or location is None:
                return response
            response.close()
            url = self._redirects.follow(url, location)
        raise RedirectRefused(f"redirects more than {_MOST_REDIRECTS} times")

    @override
    def close(self) -> None:
        for pool in (self._direct, *self._proxied.values()):
            pool.close()

    def _send(self, request: httpx.Request, url: httpx.URL, pace: Pace) -> httpx.Response:
        sent = httpcore.Request(
            request.method,
            _core(url),
            headers=self._redirects.headers(request.headers, url).raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with pace.kept(), _httpx_errors():
            answer = self._pool_for(url).handle_request(sent)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer, pace),
            extensions=answer.extensions,
        )

    def _pool_for(self, url: httpx.URL) -> httpcore.ConnectionPool:
        # The simulator runs on this machine, which a proxy cannot reach.
        here = url.raw_host in (b"127.0.0.1", b"localhost", b"::1")
        if here or urllib.request.proxy_bypass(url.netloc.decode("ascii")):
            return self._direct
        return self._proxied.get(url.scheme, self._direct)


class _Body(httpx.SyncByteStream):
    """The body of a response, read at its pace."""

    def __init__(self, answer: httpcore.Response, pace: Pace) -> None:
        self._answer = answer
        self._pace = pace

    @override
    def __iter__(self) -> Iterator[bytes]:
        chunks = self._answer.iter_stream()
        while True:
            with self._pace.kept(), _httpx_errors():
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    @override
    def close(self) -> None:
        self._answer.close()


def _pool(connections: Connections, proxy: httpcore.Proxy | None = None) -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(
        _trusted(),
        proxy,
        max_connections=100,  # the rest as httpx has it
        max_keepalive_connections=20,
        keepalive_expiry=5.0,
        network_backend=connections,
    )


@cache
def _trusted() -> ssl.SSLContext:
    """The trusted certificates, whose loading takes longer than a request."""
    return httpx.create_ssl_context()


def _environment_proxies() -> dict[str, httpcore.Proxy]:
    """The proxies for http and https that the environment names."""
    named = urllib.request.getproxies()
    found = {}
    for scheme in ("http", "https"):
        address = named.get(scheme) or named.get("all")
        if address:
            found[scheme] = _proxy(address if "://" in address else f"http://{address}", scheme)
    return found


def _proxy(address: str, scheme: str) -> httpcore.Proxy:
    url = _readable(address)
    if url is None or url.scheme not in ("http", "https"):
        # Without the address, which may hold a password.
        raise Misconfigured(
            f"The proxy for {scheme} in the environment cannot be used.",
            f"Set {scheme.upper()}_PROXY or ALL_PROXY to an address such as http://proxy:3128.",
        )
    proxy = httpx.Proxy(url)
    return httpcore.Proxy(_core(proxy.url), auth=proxy.raw_auth, headers=proxy.headers.raw)


def _readable(address: str) -> httpx.URL | None:
    try:
        return httpx.URL(address)
    except httpx.InvalidURL:
        return None


def _core(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """Raise httpcore's errors as httpx's of the same name, as a transport of httpx must."""
    try:
        yield
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.TimeoutException,
    ) as error:
        kind: type[httpx.TransportError] = getattr(httpx, type(error).__name__)
        raise kind(str(error)) from error
