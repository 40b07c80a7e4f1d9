"""What the publication sensor remembers from one tick to the next.

https://docs.dagster.io/guides/automate/sensors explains cursors. What Dagster knows of
a month is read from its records in every tick; only what it does not know belongs here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from taxi_assets.datasets.month import Month

__all__ = ["Cursor"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the walk over older months goes on, and the run key requested last of each month.

    A month stays among ``requested`` until it is loaded, so that one that failed is not requested
    again unless TLC reissues it.
    """

    position: Month | None = None
    requested: Mapping[Month, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        """What was written; a fresh cursor for none, or for one of another form.

        Losing it costs a tick: what has failed is requested once more, under a run key that Dagster
        has launched already.
        """
        try:
            stored = json.loads(text or "")
            position, requested = stored["position"], stored["requested"]
            return cls(
                Month.parse(position) if position else None,
                {Month.parse(month): str(run_key) for month, run_key in requested.items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self) -> str:
        """The form that Dagster keeps: JSON, some 100 bytes a requested month."""
        requested = {str(month): run_key for month, run_key in self.requested.items()}
        position = str(self.position) if self.position else None
        return json.dumps({"position": position, "requested": requested})
