"""The publication sensor's cursor: its state between ticks.

https://docs.dagster.io/guides/automate/sensors explains cursors. Add a field only for what
Dagster's records cannot answer; everything else is read from them in every tick.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from taxi_assets.datasets.month import Month

__all__ = ["Cursor"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The older month to poll next, and each requested month's latest run key.

    A month stays in ``requested`` until it is loaded, so that a failed month is not requested
    again unless TLC reissues it.
    """

    position: Month | None = None
    requested: Mapping[Month, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None, dataset: str, months: Collection[Month]) -> Cursor:
        """Parse a stored cursor of ``dataset``, which has ``months``.

        An empty cursor if there is none, its format is unknown or it is of another dataset, whose
        months would make this one request its whole history. Losing a cursor costs one tick:
        failed months are requested once more, with a run key that Dagster has already launched.
        """
        try:
            stored = json.loads(text or "")
            position, requested = stored["position"], stored["requested"]
            read = cls(
                Month.parse(position) if position else None,
                {Month.parse(month): run_key for month, run_key in requested.items()},
            )
            is_own = all(
                month in months and run_key.startswith(f"{dataset}:{month}:")
                for month, run_key in read.requested.items()
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls()
        return read if is_own and (read.position is None or read.position in months) else cls()

    def write(self) -> str:
        """JSON to store, about 100 bytes per requested month."""
        requested = {str(month): run_key for month, run_key in self.requested.items()}
        position = str(self.position) if self.position else None
        return json.dumps({"position": position, "requested": requested})
