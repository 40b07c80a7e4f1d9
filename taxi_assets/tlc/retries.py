"""The retry policy: attempts, exponential backoff with full jitter, a deadline.

``responses`` decides which failures are retried.
"""

from __future__ import annotations

import math
import random
import time

from taxi_assets.errors import SourceUnavailable

__all__ = ["AttemptFailed", "Retries", "waiting_seconds"]

# A longer Retry-After is cut to this: the retry of the whole run comes later anyway.
_LONGEST_WAIT_SECONDS = 60.0


class AttemptFailed(Exception):
    """One attempt failed with a transient error; ``retry_after`` is the server's, in seconds."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Retries:
    """The attempts left for one file; ``give_up_at`` is a time of ``time.monotonic()``."""

    def __init__(
        self, label: str, *, attempts: int, backoff_seconds: float, give_up_at: float = math.inf
    ) -> None:
        self._label = label
        self._attempts = attempts
        self._backoff = backoff_seconds
        self._give_up_at = give_up_at
        self._failures = 0

    def pause(self, failure: AttemptFailed, *, progressed: bool = False) -> None:
        """Wait for the next attempt; raise ``SourceUnavailable`` if ``failure`` was the last.

        An attempt that ``progressed`` resets the count: a large file on a poor connection may be
        cut more often than ``attempts``.
        """
        self._failures = 1 if progressed else self._failures + 1
        if self._failures >= self._attempts:
            raise self._exhausted(f"failed attempts in a row: {self._failures}", failure)
        wait = waiting_seconds(self._failures, self._backoff, failure.retry_after)
        if time.monotonic() + wait >= self._give_up_at:
            raise self._exhausted("no time is left", failure)
        time.sleep(wait)

    def require_time(self) -> None:
        """Raise ``SourceUnavailable`` after the deadline."""
        if time.monotonic() >= self._give_up_at:
            raise SourceUnavailable(f"{self._label}: not requested, the deadline has passed.")

    def _exhausted(self, why: str, failure: AttemptFailed) -> SourceUnavailable:
        error = SourceUnavailable(
            f"{self._label}: TLC is unavailable, {why}; the last error: {failure}.",
            "Try again later; a download that has begun is resumed.",
        )
        error.__cause__ = failure.__cause__ or failure
        return error


def waiting_seconds(failures: int, backoff_seconds: float, retry_after: float | None) -> float:
    """Full jitter below a doubling, bounded ceiling, and at least ``retry_after``, bounded too."""
    ceiling = min(_LONGEST_WAIT_SECONDS, backoff_seconds * 2 ** (failures - 1))
    jitter = random.uniform(0, ceiling)  # noqa: S311 - spreads clients, guards nothing
    return max(jitter, min(retry_after or 0.0, _LONGEST_WAIT_SECONDS))
