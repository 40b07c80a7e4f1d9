"""Wording of counts in messages, for every text that people read."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """``1 reject``, ``2,000 rejects``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
