"""Names of the attributes stored with an object in the lake.

A store keeps them as the object's metadata; a local folder keeps them in a JSON file. Add a name
here to store a fact about an object that its content does not contain.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "COLUMNS",
    "COUNTS",
    "ETAG",
    "ETAGS",
    "LAST_MODIFIED",
    "MISSING_PICKUPS",
    "ORIGIN",
    "REJECTS",
    "SOURCE_URL",
    "VERSION",
]

# Of every object made from published files: whose they are (``datasets.origin``).
ORIGIN: Final = "origin"

# Of a raw object: its URL, headers of TLC's response, its columns and their types as JSON.
SOURCE_URL: Final = "source_url"
ETAG: Final = "etag"
LAST_MODIFIED: Final = "last_modified"
COLUMNS: Final = "columns"

# Of the zones: the ETags of the published files by name, as JSON.
ETAGS: Final = "etags"

# Of a cleaned month's two objects: the version of its rows and of its layout (``versions``). Of the
# zones: what they were read from and by (``datasets.zones``).
VERSION: Final = "version"

# Of a cleaned month's trips: the file name of their rejects, ``MonthCounts`` as text, and the
# number of trips without pickup time.
REJECTS: Final = "rejects"
COUNTS: Final = "counts"
MISSING_PICKUPS: Final = "missing_pickups"
