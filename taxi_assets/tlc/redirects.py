"""Where a redirect may lead: to the configured host or one that the source names, never to http.

A redirect is the server's choice, or that of whoever speaks for it: it must lead neither into the
network that this machine is in nor to a host that nobody configured. Its query may be a credential
(a signed address), so it is neither shown nor kept.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

import httpx

from taxi_assets.addresses import shown

__all__ = ["RedirectRefused", "Redirects", "is_public"]

_SHOWN_CHARACTERS = 200  # of the server's choice
# Where GitHub has the files of releases.
# https://docs.github.com/en/actions/concepts/runners/communicating-with-self-hosted-runners
_STORAGE = {
    "github.com": ("release-assets.githubusercontent.com", "objects.githubusercontent.com"),
}
_OWN_HOST_ONLY = ("Authorization", "Cookie")


class RedirectRefused(Exception):
    """A redirect that is not followed; the text says what the address that was requested does."""


class Redirects:
    """The redirects that ``site`` may make: to its own host, its storage and those in ``allowed``.

    A host is a name or address, with its port unless that is the scheme's own.
    """

    def __init__(self, site: httpx.URL, allowed: Collection[str]) -> None:
        self._own = _host(site)
        self._hosts = {self._own, *(host.lower() for host in allowed), *_STORAGE.get(self._own, ())}

    def follow(self, url: httpx.URL, location: str) -> httpx.URL:
        """The address that ``location`` means for a request of ``url``, or ``RedirectRefused``."""
        target = _joined(url, location)
        if target is None:
            raise RedirectRefused("redirects to an address that cannot be read")
        if target.scheme not in ("http", "https"):
            raise RedirectRefused("does not lead to a file over http or https")
        if url.scheme == "https" and target.scheme == "http":
            raise RedirectRefused(f"redirects from https to http, to {_shown(target)}")
        if _host(target) not in self._hosts:
            raise RedirectRefused(f"redirects to another host, to {_shown(target)}")
        return target

    def headers(self, headers: httpx.Headers, target: httpx.URL) -> httpx.Headers:
        """The request's ``headers`` as ``target`` gets them: a host gets no other's credentials."""
        headers = headers.copy()
        headers["Host"] = target.netloc.decode("ascii")
        if _host(target) != self._own:
            for name in _OWN_HOST_ONLY:
                headers.pop(name, None)
        return headers


def is_public(address: str) -> bool:
    """Whether a numeric ``address`` is one of the internet: not private, loopback or link-local."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return parsed.is_global


def _joined(url: httpx.URL, location: str) -> httpx.URL | None:
    try:
        target = url.join(location)
        has_host = bool(target.host)  # decoded only here: a name may be no IDNA
    except (httpx.InvalidURL, ValueError):
        return None
    return target.copy_with(userinfo=b"", fragment=None) if has_host else target


def _shown(target: httpx.URL) -> str:
    return shown(str(target))[:_SHOWN_CHARACTERS]


def _host(url: httpx.URL) -> str:
    return url.netloc.decode("ascii")
