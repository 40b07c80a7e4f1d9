"""How long an exchange with a server may take: a deadline, and a minimum rate.

A timeout of each read is not enough: a server that sends a byte now and then never exceeds it.
``connections`` asks before every read, so that the limits hold for all that a server sends: the
headers, the framing of a body, the answer of a proxy.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpcore

__all__ = ["Pace"]

# The largest month (600 MB) takes ten hours at this rate; a modem was half as fast.
_SLOWEST_BYTES_PER_SECOND = 16 << 10


class Pace:
    """The limits of one exchange: ``give_up_at``, a time of ``time.monotonic()``, and the rate.

    The rate is measured over windows of ``window_seconds``; an exchange that is over before the
    first of them ends may be of any size.
    """

    def __init__(self, window_seconds: float, give_up_at: float = math.inf) -> None:
        self._window_seconds = window_seconds
        self._give_up_at = give_up_at
        self._bytes = 0
        self._window_ends_at = time.monotonic() + window_seconds

    @classmethod
    def current(cls) -> Pace:
        """The pace of the exchange that this thread is in."""
        return _current.get()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Make it the current one."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def seconds(self, timeout: float | None) -> float:
        """How long the next operation may take, ``timeout`` at most.

        Raises httpcore's ``ReadTimeout`` if the server was too slow or no time is left.
        """
        now = time.monotonic()
        left = self._give_up_at - now
        if left <= 0:
            raise httpcore.ReadTimeout("no time is left")
        if now >= self._window_ends_at:
            least = _SLOWEST_BYTES_PER_SECOND * self._window_seconds
            if self._bytes < least:
                raise httpcore.ReadTimeout(
                    f"too slow: {self._bytes:,} bytes in {self._window_seconds:g} seconds"
                )
            self._bytes = 0
            self._window_ends_at = now + self._window_seconds
        return left if timeout is None else min(timeout, left)

    def count(self, received: int) -> None:
        """Add ``received`` bytes."""
        self._bytes += received


_current: ContextVar[Pace] = ContextVar("pace")
