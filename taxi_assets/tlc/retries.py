"""How long to keep trying: attempts, exponential backoff with full jitter, a deadline.

Belongs here: counting and waiting. Does not: which answers are worth another try (``answers``).
"""

from __future__ import annotations

import math
import random
import time

from taxi_assets.errors import SourceUnavailable

# Nobody waits longer for one attempt, whatever Retry-After asks: the run's own retry comes later.
_LONGEST_WAIT_SECONDS = 60.0


class TransientFault(Exception):
    """One attempt failed in a way that may pass; ``retry_after`` is the server's wish, seconds."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Retries:
    """The patience one file has left. ``give_up_at`` is a reading of ``time.monotonic()``."""

    def __init__(
        self, label: str, *, attempts: int, backoff_seconds: float, give_up_at: float = math.inf
    ) -> None:
        self._label = label
        self._attempts = attempts
        self._backoff = backoff_seconds
        self._give_up_at = give_up_at
        self._failures = 0

    def pause(self, fault: TransientFault, *, progressed: bool = False) -> None:
        """Wait for the next attempt; raise ``SourceUnavailable`` when ``fault`` was the last.

        An attempt that ``progressed`` starts the count anew: a big file on a bad line may be cut
        more often than a file that never moves deserves tries.
        """
        self._failures = 1 if progressed else self._failures + 1
        if self._failures >= self._attempts:
            raise self._exhausted(f"failed attempts in a row: {self._failures}", fault)
        wait = waiting_seconds(self._failures, self._backoff, fault.retry_after)
        if time.monotonic() + wait >= self._give_up_at:
            raise self._exhausted("no time is left", fault)
        time.sleep(wait)

    def remaining_seconds(self) -> float:
        """Time left before the deadline; raises ``SourceUnavailable`` when there is none."""
        remaining = self._give_up_at - time.monotonic()
        if remaining <= 0:
            raise SourceUnavailable(f"{self._label}: not asked, the time for asking is over.")
        return remaining

    def _exhausted(self, why: str, fault: TransientFault) -> SourceUnavailable:
        error = SourceUnavailable(
            f"{self._label}: TLC is unavailable, {why}; the last one: {fault}. "
            "Try again later; a download that has begun is resumed."
        )
        error.__cause__ = fault.__cause__ or fault
        return error


def waiting_seconds(failures: int, backoff_seconds: float, retry_after: float | None) -> float:
    """Full jitter below a doubling ceiling, and no less than the server asks for, bounded."""
    ceiling = min(_LONGEST_WAIT_SECONDS, backoff_seconds * 2 ** (failures - 1))
    jitter = random.uniform(0, ceiling)  # noqa: S311 - spreads clients, guards nothing
    return max(jitter, min(retry_after or 0.0, _LONGEST_WAIT_SECONDS))
