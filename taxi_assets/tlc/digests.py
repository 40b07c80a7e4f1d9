"""SHA-256 and MD5 of a file while it is downloaded, in a thread of their own.

Hashing a large month takes about as long as receiving it over a fast connection, and neither holds
the interpreter lock: side by side they take half the time.
"""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["Digests"]

_BATCH_BYTES = 1 << 20
_QUEUED_BATCHES = 8  # bounds the memory


class Digests:
    """The digests of all bytes passed to ``update`` so far; ``close`` ends the thread."""

    def __init__(self) -> None:
        self._both = (hashlib.sha256(), hashlib.md5(usedforsecurity=False))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digests")
        self._hashing: deque[Future[None]] = deque()
        self._batch = bytearray()

    def update(self, chunk: bytes) -> None:
        """Queue ``chunk`` for hashing."""
        self._batch += chunk
        if len(self._batch) >= _BATCH_BYTES:
            self._submit()
            if len(self._hashing) > _QUEUED_BATCHES:
                self._hashing.popleft().result()

    @property
    def sha256(self) -> str:
        """In hexadecimal, of all bytes so far."""
        self._wait()
        return self._both[0].hexdigest()

    @property
    def md5(self) -> str:
        """In hexadecimal, of all bytes so far."""
        self._wait()
        return self._both[1].hexdigest()

    def close(self) -> None:
        """End the thread without hashing what is still queued."""
        self._thread.shutdown(cancel_futures=True)

    def _submit(self) -> None:
        self._hashing.append(self._thread.submit(self._hash, bytes(self._batch)))
        self._batch.clear()

    def _hash(self, batch: bytes) -> None:
        for digest in self._both:
            digest.update(batch)

    def _wait(self) -> None:
        self._submit()
        while self._hashing:
            self._hashing.popleft().result()
