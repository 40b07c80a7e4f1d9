"""The source: what TLC has published, and getting it onto this disk whole and verified.

Belongs here: addresses, HEAD and GET, resuming, retrying, verifying. Does not: what is in a file
(``datasets``, ``cleaning``), where it is kept (``lake``), anything of Dagster.
"""

from taxi_assets.tlc.client import DEFAULT_URL, TlcClient
from taxi_assets.tlc.published import Download, Published, Unchanged

__all__ = ["DEFAULT_URL", "Download", "Published", "TlcClient", "Unchanged"]
