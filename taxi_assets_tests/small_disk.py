"""A disk that is full, without a disk: a limit on the size of every file."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["small_disk"]


@contextmanager
def small_disk(limit: int = 64 << 10) -> Iterator[None]:
    """Writes beyond ``limit`` bytes of a file fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
