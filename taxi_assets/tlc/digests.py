"""SHA-256 and MD5 of a file while it grows, on a thread of their own.

Belongs here: digests beside a download. Does not: what they are compared with (``verify``).

Hashing a large month takes about as long as receiving it over a fast line, and neither needs the
interpreter: together they take half the time.
"""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

_BATCH_BYTES = 1 << 20
_WAITING = 8  # batches that may wait to be hashed: bounds the memory


class Digests:
    """The digests of all bytes given so far; ``close`` ends the thread."""

    def __init__(self) -> None:
        self._both = (hashlib.sha256(), hashlib.md5(usedforsecurity=False))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digests")
        self._hashing: deque[Future[None]] = deque()
        self._batch = bytearray()

    def update(self, chunk: bytes) -> None:
        """Count ``chunk`` in, now or later."""
        self._batch += chunk
        if len(self._batch) >= _BATCH_BYTES:
            self._hand_over()
            if len(self._hashing) > _WAITING:
                self._hashing.popleft().result()

    @property
    def sha256(self) -> str:
        """In hexadecimal, of all bytes so far."""
        self._catch_up()
        return self._both[0].hexdigest()

    @property
    def md5(self) -> str:
        """In hexadecimal, of all bytes so far."""
        self._catch_up()
        return self._both[1].hexdigest()

    def close(self) -> None:
        """End the thread; what was not hashed by now stays so."""
        self._thread.shutdown(cancel_futures=True)

    def _hand_over(self) -> None:
        self._hashing.append(self._thread.submit(self._hash, bytes(self._batch)))
        self._batch.clear()

    def _hash(self, batch: bytes) -> None:
        for digest in self._both:
            digest.update(batch)

    def _catch_up(self) -> None:
        self._hand_over()
        while self._hashing:
            self._hashing.popleft().result()
