"""How often and how long a request to a store or a warehouse is repeated: the same for all.

The clients' own retries are replaced, since none of them can express all of this: Google's in
``google_retries``, those of S3 and Azure in the modules of their stores. TLC's site has a policy of
its own, ``tlc.retries``.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

from taxi_assets.http_dates import parse_http_date

__all__ = ["ATTEMPTS", "CONNECT_SECONDS", "SILENCE_SECONDS", "Attempts", "retry_after_seconds"]

ATTEMPTS = 5
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 10.0

CONNECT_SECONDS = 10.0
"""How long a connection may take."""

SILENCE_SECONDS = 20.0
"""How long a server may send nothing when it has to answer, or while it sends a file."""

LAST_BEGIN_SECONDS = 40.0
"""No attempt begins later than this after the first: a silent server is reported in a minute."""


class Attempts:
    """The attempts of one request, of which the first begins now.

    An attempt that took longer than a silent server can take has received data, for instance half
    of a large file: the time, but not the number, is counted from its end.
    """

    def __init__(self) -> None:
        self._made = 1
        self._first = self._began = time.monotonic()

    def again(self, retry_after: float | None = None) -> bool:
        """After a transient failure: wait, and return ``True`` if another attempt may begin.

        ``retry_after`` is the server's wish in seconds. If it ends too late, or if no attempt is
        left, the return is ``False`` at once.
        """
        now = time.monotonic()
        if now - self._began > CONNECT_SECONDS + 1.5 * SILENCE_SECONDS:
            self._first = now
        delay = max(_delay(self._made), retry_after or 0.0)
        if self._made >= ATTEMPTS or now + delay > self._first + LAST_BEGIN_SECONDS:
            return False
        time.sleep(delay)
        self._made += 1
        self._began = time.monotonic()
        return True


def retry_after_seconds(header: str | None) -> float | None:
    """Seconds from now, from either form of a ``Retry-After``; ``None`` for another or no text."""
    if header and header.isascii() and header.isdecimal():
        return float(header)
    when = parse_http_date(header)
    return (when - datetime.now(UTC)).total_seconds() if when else None


def _delay(made: int) -> float:
    longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** (made - 1))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads clients, guards nothing
