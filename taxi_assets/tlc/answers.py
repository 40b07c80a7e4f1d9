"""What an answer, or the lack of one, means: there, absent, passing trouble, or wrong for good.

Belongs here: status codes and httpx's exceptions. Does not: waiting (``retries``), bodies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx

from taxi_assets.errors import Misconfigured, MonthNotPublished
from taxi_assets.tlc.published import moment
from taxi_assets.tlc.retries import TransientFault
from taxi_assets.tlc.source import RemoteFile


def require_file(response: httpx.Response, source: RemoteFile) -> None:
    """Return for a 200 or 206; raise what any other status means."""
    status = response.status_code
    if status in (200, 206):
        return
    answer = f"{source.url} answered {status} {response.reason_phrase}".strip()
    if status in (403, 404):
        raise MonthNotPublished(f"{source.label} is not published: {answer}. {source.remedy}")
    if status in (408, 429) or status >= 500:
        raise TransientFault(answer, _retry_after(response.headers.get("Retry-After")))
    raise Misconfigured(
        f"{source.label}: {answer}, which trying again does not change. "
        "Check the address of the source (TAXI_TLC_URL) and any proxy before it."
    )


@contextmanager
def faults_named(source: RemoteFile) -> Iterator[None]:
    """Turn httpx's exceptions into a ``TransientFault`` or, when they will not pass, an error."""
    try:
        yield
    except (httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
        raise Misconfigured(
            f"{source.label}: {source.url} does not lead to a file over http or https ({error}). "
            "Check the address of the source (TAXI_TLC_URL)."
        ) from error
    except httpx.TransportError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Misconfigured(
                f"{source.label}: the certificate of {source.url} is not trusted ({error}). "
                "Name your organisation's certificates in SSL_CERT_FILE."
            ) from error
        fault = f"{source.url}: {error or 'no details'} ({type(error).__name__})"
        raise TransientFault(fault) from error


def _retry_after(header: str | None) -> float | None:
    """Seconds from now, from either form of the header; None when missing or unreadable."""
    if header and header.isdecimal():
        return float(header)
    when = moment(header)
    return (when - datetime.now(UTC)).total_seconds() if when else None
