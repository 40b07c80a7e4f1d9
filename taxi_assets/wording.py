"""Wording of counts, lists and foreign text in messages, for every text that people read."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["counted", "listed", "one_line"]

_LONGEST = 600
_MOST_LISTED = 10


def counted(number: int, noun: str) -> str:
    """``1 reject``, ``2,000 rejects``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(problems: Sequence[str]) -> str:
    """The first ten of ``problems``, separated by semicolons, and how many more there are."""
    more = len(problems) - _MOST_LISTED
    shown = "; ".join(problems[:_MOST_LISTED])
    return f"{shown}; and {more:,} more" if more > 0 else shown


def one_line(text: str, longest: int = _LONGEST) -> str:
    """Text of another program or file on one line, at most ``longest`` characters of it.

    Characters that a terminal would act on are shown as escapes.
    """
    line = " ".join(text[: 4 * longest].split())
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
    return shown if len(shown) <= longest else f"{shown[:longest]}…"
