"""What the rows of a month are, as one short text that travels with them.

The same text is the data version in Dagster's records, an attribute of the month's objects in the
lake, and a column of the warehouse's ``loaded_months``: three places that must agree before a month
counts as unchanged. https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
"""

from __future__ import annotations

from typing import Final

from taxi_assets.cleaning import code_version
from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["LAYOUT", "is_current", "month_version"]

LAYOUT: Final = "2"
"""How months are stored, and what is recorded of them. Raise it when a month that is stored now
could not be used as it lies; ``taxi_assets upgrade`` then makes such months again. Layout 1 had no
versions."""


def month_version(spec: DatasetSpec, raw_sha256: str) -> str:
    """The version of a month that this code makes of a file with that checksum.

    It derives from what decides the rows, never from the bytes of a file that was written here:
    their order differs from run to run.
    """
    return f"{LAYOUT}-{raw_sha256[:12]}-{code_version(spec)}"


def is_current(version: str | None) -> bool:
    """Whether a month of that version is stored as this code stores it."""
    return version is not None and version.startswith(f"{LAYOUT}-")
