"""Names of the attributes that the platform keeps with an object in the lake.

A store keeps them as the object's metadata (on local disk, as a file beside it). Add a name here
when an object has to say something of itself that its bytes do not.
"""

from __future__ import annotations

from typing import Final

__all__ = ["COLUMNS", "COUNTS", "ETAG", "LAST_MODIFIED", "MISSING_PICKUPS", "SOURCE_URL", "VERSION"]

# Of a raw object: where it comes from, what TLC said of it, its columns and their types as JSON.
SOURCE_URL: Final = "source_url"
ETAG: Final = "etag"
LAST_MODIFIED: Final = "last_modified"
COLUMNS: Final = "columns"

# Of a cleaned month's two objects: what its rows are, and how it is stored (``versions``).
VERSION: Final = "version"

# Of a cleaned month's trips: ``MonthCounts`` as text, and the trips without a pickup time.
COUNTS: Final = "counts"
MISSING_PICKUPS: Final = "missing_pickups"
