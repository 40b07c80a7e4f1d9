"""Which HTTP statuses and httpx exceptions are success, absence, transient or permanent errors.

Classify a new kind of failure here; ``retries`` decides how often a transient one is retried.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx

from taxi_assets.errors import Misconfigured, MonthNotPublished
from taxi_assets.tlc.published import parse_http_date
from taxi_assets.tlc.retries import AttemptFailed
from taxi_assets.tlc.source import RemoteFile

__all__ = ["require_file", "translated_http_errors"]


def require_file(response: httpx.Response, source: RemoteFile) -> None:
    """Return for a 200 or 206; raise the error that any other status means."""
    status = response.status_code
    if status in (200, 206):
        return
    response_text = f"{source.url} answered {status} {response.reason_phrase}".strip()
    if status in (403, 404):
        raise MonthNotPublished(f"{source.label} is not published: {response_text}.", source.remedy)
    if status in (408, 429) or status >= 500:
        raise AttemptFailed(response_text, _retry_after(response.headers.get("Retry-After")))
    raise Misconfigured(
        f"{source.label}: {response_text}, which a retry does not change.",
        "Check the address of the source (TAXI_TLC_URL) and any proxy in between.",
    )


@contextmanager
def translated_http_errors(source: RemoteFile) -> Iterator[None]:
    """Turn httpx's exceptions into ``AttemptFailed`` or, if permanent, ``Misconfigured``."""
    try:
        yield
    except (httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
        raise Misconfigured(
            f"{source.label}: {source.url} does not lead to a file over http or https ({error}).",
            "Check the address of the source (TAXI_TLC_URL).",
        ) from error
    except httpx.TransportError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Misconfigured(
                f"{source.label}: the certificate of {source.url} is not trusted ({error}).",
                "Name your organisation's certificates in SSL_CERT_FILE.",
            ) from error
        failure = f"{source.url}: {error or 'no details'} ({type(error).__name__})"
        raise AttemptFailed(failure) from error


def _retry_after(header: str | None) -> float | None:
    """Seconds from now, from either form of the header; None when missing or unreadable."""
    if header and header.isdecimal():
        return float(header)
    when = parse_http_date(header)
    return (when - datetime.now(UTC)).total_seconds() if when else None
