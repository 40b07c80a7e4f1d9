"""The client of TLC's site: which files are published, and verified downloads of them.

It uses neither Dagster nor the specifications, so it can be tested against any HTTP server.
"""

from taxi_assets.tlc.client import TlcClient
from taxi_assets.tlc.origin import DEFAULT_URL
from taxi_assets.tlc.published import Download, Published, Unchanged

__all__ = ["DEFAULT_URL", "Download", "Published", "TlcClient", "Unchanged"]
