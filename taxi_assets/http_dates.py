"""Dates in HTTP headers."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["parse_http_date"]


def parse_http_date(http_date: str | None) -> datetime | None:
    """An HTTP date in UTC; None for a missing or unreadable one."""
    try:
        parsed = parsedate_to_datetime(http_date or "")
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: the year 10000
        return None
