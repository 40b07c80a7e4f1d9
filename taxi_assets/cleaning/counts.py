"""The row counts of a cleaned month, and their text form for the metadata of the stored object.

An unchanged month reports its counts from that metadata without opening its files. The text is
short because S3 allows 2 KB of metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

__all__ = ["MonthCounts"]


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """Row counts of one month.

    ``published``, ``clean`` and ``rejected`` are the counts in the footers of the published file
    and of the two new ones. ``reasons`` and ``flags`` count rows by rule name, largest first; a row
    that matches two rules counts for both. ``per_day`` counts clean rows by the day of their
    pickup, from the first of the month; pickups outside the month are not counted. ``nulled``
    counts, by canonical column, the published values that mean NULL: blank text and the column's
    ``nulls``. Months stored by older releases have none.
    """

    published: int
    clean: int
    rejected: int
    reasons: Mapping[str, int]
    flags: Mapping[str, int]
    per_day: tuple[int, ...]
    nulled: Mapping[str, int] = field(default_factory=dict)

    @property
    def reject_share(self) -> float:
        """Rejected rows as a share (0 to 1) of the published ones."""
        return self.rejected / self.published if self.published else 0.0

    def to_text(self) -> str:
        """The counts as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> MonthCounts:
        """Parse the result of ``to_text``."""
        stored = json.loads(text)
        return cls(**{**stored, "per_day": tuple(stored["per_day"])})
