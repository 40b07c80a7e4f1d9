"""What a sensor remembers between two looks at TLC.

Belongs here: the cursor of both sensors, its form in Dagster's records, walking months by slices.
Does not: what Dagster has recorded itself (``history``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from taxi_assets.datasets.month import Month

_FORM = 1
# Fifty years of months that were asked for and never landed: the cursor does not outgrow that.
_MOST_ASKED = 600


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the walk goes on, and the version (``requests.version``) asked for of each month.

    A month stays among ``asked`` until it lands, so that one that failed is not asked for again
    unless TLC reissues it.
    """

    position: Month | None = None
    asked: Mapping[Month, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        """What was written; a fresh cursor for none, or for one of another form.

        Losing it is harmless: a run key is launched once, whatever a cursor says.
        """
        try:
            stored = json.loads(text or "")
            if stored["form"] != _FORM:
                return cls()
            position = stored["position"]
            return cls(
                position=Month.parse(position) if position else None,
                asked={Month.parse(month): str(v) for month, v in stored["asked"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self) -> str:
        """The form that Dagster keeps: JSON, at most some 40 kB."""
        newest = sorted(self.asked, reverse=True)[:_MOST_ASKED]
        return json.dumps(
            {
                "form": _FORM,
                "position": str(self.position) if self.position else None,
                "asked": {str(month): self.asked[month] for month in newest},
            }
        )


def next_slice(
    months: Sequence[Month], position: Month | None, size: int
) -> tuple[list[Month], Month | None]:
    """Up to ``size`` of ``months`` (newest first) from ``position`` on, and the next position.

    The walk begins anew, position None, when it has reached the oldest.
    """
    left = [month for month in months if position is None or month <= position]
    left = left or list(months)
    return left[:size], left[size] if len(left) > size else None
