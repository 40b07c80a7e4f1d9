"""What a cleaned month holds, in numbers, and as the text that travels with the month.

The text is short, since a store keeps it in an object's metadata (S3 allows 2 KB of it): an
unchanged month shows its numbers again without anybody opening its files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

__all__ = ["MonthCounts"]


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """Rows of one month.

    ``published`` is the published file's footer count, ``clean`` and ``rejected`` are the new
    files' footer counts. ``reasons`` and ``flags`` count rows by rule name, most first; a row that
    matches two rules counts in both. ``per_day`` counts clean rows by day of the month of their
    pickup, the first day first; pickups outside of the month are not in it.
    """

    published: int
    clean: int
    rejected: int
    reasons: Mapping[str, int]
    flags: Mapping[str, int]
    per_day: tuple[int, ...]

    @property
    def reject_share(self) -> float:
        """Rejected rows as a share (0 to 1) of the published ones."""
        return self.rejected / self.published if self.published else 0.0

    def to_text(self) -> str:
        """All of it as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> MonthCounts:
        """Read ``to_text`` back."""
        stored = json.loads(text)
        return cls(**{**stored, "per_day": tuple(stored["per_day"])})
