"""The version of a month's rows, a short text that is stored with them.

It is the data version in Dagster's records, an attribute of the month's objects in the lake, and a
column of the warehouse's ``loaded_months``. All three must agree for a month to be unchanged.
https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
"""

from __future__ import annotations

from typing import Final

from taxi_assets.cleaning import code_version
from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["LAYOUT", "is_current", "month_version"]

LAYOUT: Final = "3"
"""How months are stored and recorded. Increase it when already stored months become unusable;
``taxi_assets upgrade`` then materializes them again. Layout 1 had no versions, and
layout 2 one object for the rejects of every version of a month."""


def month_version(spec: DatasetSpec, raw_sha256: str) -> str:
    """The version of a month cleaned by this code from a file with that checksum.

    It depends on what determines the rows and not on the bytes of the cleaned file, in which the
    order of rows differs from run to run.
    """
    return f"{LAYOUT}-{raw_sha256[:12]}-{code_version(spec)}"


def is_current(version: str | None) -> bool:
    """Whether a month of that version is in the current layout."""
    return version is not None and version.startswith(f"{LAYOUT}-")
