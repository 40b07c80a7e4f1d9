"""Where a file comes from: TLC's own site, another site, or the simulator.

The simulator announces itself in a header of every response; the origin is never guessed from
what a file contains.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["DEFAULT_URL", "SIMULATOR_HEADER", "Origin"]

DEFAULT_URL = "https://d37ci6vzurychx.cloudfront.net"
SIMULATOR_HEADER = "X-Taxi-Assets-Simulator"


class Origin(StrEnum):
    """The kinds of source that a published file may come from."""

    TLC = "tlc"  # the configured site is TLC's own
    MIRROR = "mirror"  # it is any other site
    SIMULATOR = "simulator"  # it announces itself as the simulator

    @classmethod
    def of(cls, site: str, headers: Mapping[str, str]) -> Origin:
        """The origin of a response from ``site``, the configured address without user."""
        if SIMULATOR_HEADER in headers:
            return cls.SIMULATOR
        return cls.TLC if site == DEFAULT_URL else cls.MIRROR
