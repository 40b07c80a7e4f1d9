"""Which requests are of this machine, and not of a web page that its browser shows.

Any page can make a browser send requests to 127.0.0.1, or to a name of its own that resolves to it
(DNS rebinding). The first carry ``Origin`` or ``Sec-Fetch-Site``, the second another ``Host``.
https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
"""

from __future__ import annotations

from email.message import Message
from urllib.parse import urlsplit

__all__ = ["is_own"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_own(headers: Message) -> bool:
    """Whether the request with these ``headers`` names this machine and is of no other site."""
    hosts = headers.get_all("Host", [])
    if len(hosts) != 1 or not _is_loopback(f"http://{hosts[0]}"):
        return False
    origins = headers.get_all("Origin", [])
    return all(origin == f"http://{hosts[0]}" for origin in origins) and headers.get(
        "Sec-Fetch-Site", "none"
    ) in ("none", "same-origin")


def _is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False
