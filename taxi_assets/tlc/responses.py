"""Which HTTP statuses and httpx exceptions are success, absence, transient or permanent errors.

Classify a new kind of failure here; ``retries`` decides how often a transient one is retried.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx

from taxi_assets.errors import Misconfigured, MonthNotPublished
from taxi_assets.retry_policy import retry_after_seconds
from taxi_assets.tlc.redirects import RedirectRefused
from taxi_assets.tlc.retries import AttemptFailed
from taxi_assets.tlc.source import RemoteFile

__all__ = ["require_file", "translated_http_errors"]

_KNOWN_STATUSES = frozenset(HTTPStatus)


def require_file(response: httpx.Response, source: RemoteFile) -> None:
    """Return for a 200 or 206; raise the error that any other status means."""
    status = response.status_code
    if status in (200, 206):
        return
    # The standard's words, not the server's: those may be of any length.
    reason = HTTPStatus(status).phrase if status in _KNOWN_STATUSES else ""
    response_text = f"{source.url} answered {status} {reason}".strip()
    if status in (403, 404):
        raise MonthNotPublished(f"{source.label} is not published: {response_text}.", source.remedy)
    if status in (408, 429) or status >= 500:
        raise AttemptFailed(response_text, retry_after_seconds(response.headers.get("Retry-After")))
    raise Misconfigured(
        f"{source.label}: {response_text}, which a retry does not change.",
        "Check the address of the source (TAXI_TLC_URL) and any proxy in between.",
    )


@contextmanager
def translated_http_errors(source: RemoteFile) -> Iterator[None]:
    """Turn httpx's exceptions into ``AttemptFailed`` or, if permanent, ``Misconfigured``."""
    try:
        yield
    except RedirectRefused as error:
        raise Misconfigured(
            f"{source.label}: {source.url} {error}.",
            "Check the address of the source (TAXI_TLC_URL), and whether the network redirects to "
            "a login page. A host that a source may redirect to belongs in its redirect_hosts.",
        ) from error
    except httpx.TransportError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Misconfigured(
                f"{source.label}: the certificate of {source.url} is not trusted ({error}).",
                "Name your organisation's certificates in SSL_CERT_FILE.",
            ) from error
        details = str(error) or "no details"
        if isinstance(error, httpx.ProtocolError):
            details = details.partition(":")[0]  # the rest quotes what the server sent
        raise AttemptFailed(f"{source.url}: {details} ({type(error).__name__})") from error
