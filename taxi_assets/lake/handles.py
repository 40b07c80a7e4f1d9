"""The values that assets of a month exchange through the lake's IO manager.

An input annotated ``StoredFile`` or ``StoredMonth`` is a handle with an object's metadata, and
downloads nothing until ``path()`` is called. An asset returns a handle, whose content the IO
manager copies to the asset's own key, or a ``NewFile`` or ``NewMonth``, which it uploads.
https://docs.dagster.io/guides/build/io-managers
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.datasets.stored import Part
from taxi_assets.lake import attributes
from taxi_assets.lake.store import LakeObject, NewObject

__all__ = [
    "LakeValue",
    "NewFile",
    "NewMonth",
    "PreviousMonth",
    "StoredFile",
    "StoredMonth",
    "redone",
]


class LakeValue:
    """Base of the values that the lake's IO manager accepts besides rows and paths.

    Dagster checks an output against a single type: annotate an asset with this one.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class StoredFile(LakeValue):
    """An object in the lake. ``redo`` writes it even if the target has the same content."""

    object: LakeObject
    _open: Callable[[LakeObject], Path] = field(repr=False, compare=False)
    redo: bool = False

    def path(self) -> Path:
        """A local file with the content, downloaded on first use; do not write to it."""
        return self._open(self.object)

    @property
    def version(self) -> str:
        """The version of a cleaned month; of any other object, a digest of its content."""
        return self.object.attributes.get(attributes.VERSION) or self.object.sha256[:16]

    @property
    def origin(self) -> str | None:
        """Whose file it is or was made from (``datasets.origin``), if that is recorded."""
        return self.object.attributes.get(attributes.ORIGIN)

    @property
    def rows(self) -> int | None:
        """The row count in the Parquet footer; ``None`` for other files."""
        return self.object.rows


@dataclass(frozen=True, slots=True)
class StoredMonth(LakeValue):
    """A cleaned month in the lake: trips and rejects of the same version."""

    spec: DatasetSpec
    month: Month
    trips: StoredFile
    rejects: StoredFile
    redo: bool = False

    @property
    def version(self) -> str:
        """The version of the rows; see ``versions``."""
        return self.trips.version

    @property
    def counts(self) -> MonthCounts:
        """The month's counts at the time it was cleaned."""
        return MonthCounts.from_text(self.trips.object.attributes[attributes.COUNTS])

    @property
    def parts(self) -> dict[Part, StoredFile]:
        """Both files, rejects first."""
        return {Part.REJECTS: self.rejects, Part.TRIPS: self.trips}


@dataclass(frozen=True, slots=True)
class NewFile(LakeValue):
    """A local file to store, replacing the object ``before`` (``None``: there was none)."""

    new: NewObject
    before: LakeObject | None


@dataclass(frozen=True, slots=True)
class PreviousMonth:
    """What is stored of a month now: its trips, and the complete month if it is usable."""

    trips: LakeObject | None
    stored: StoredMonth | None


@dataclass(frozen=True, slots=True)
class NewMonth(LakeValue):
    """A cleaned, audited month on local disk, to replace ``before``."""

    trips: NewObject
    rejects: NewObject
    before: PreviousMonth


Handle = TypeVar("Handle", StoredFile, StoredMonth)


def redone(handle: Handle, redo: bool) -> Handle:
    """The same handle with another ``redo``."""
    return replace(handle, redo=redo)
