"""Where a file comes from: TLC's own site, another site, or the simulator.

The simulator announces itself in a header of every response; the origin is never guessed from
what a file contains.
"""

from __future__ import annotations

from collections.abc import Mapping

from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.origin import Origin

__all__ = ["DEFAULT_URL", "SIMULATOR_HEADER", "origin_of"]

DEFAULT_URL = "https://d37ci6vzurychx.cloudfront.net"
SIMULATOR_HEADER = "X-Taxi-Assets-Simulator"


def origin_of(site: str, file_format: FileFormat, headers: Mapping[str, str]) -> Origin:
    """The origin of a response from ``site``, the configured address without user.

    ``file_format`` is that of the site's months.
    """
    if SIMULATOR_HEADER in headers:
        return Origin.SIMULATOR
    if file_format.is_csv:
        return Origin.CSV_MIRROR
    return Origin.TLC if site == DEFAULT_URL else Origin.MIRROR
