"""What passes between the assets of a month: handles of what is stored, files that are to be.

An asset's input annotated ``StoredFile`` or ``StoredMonth`` is a handle: it says what is there and
downloads nothing until ``path()`` is called. An asset returns a handle, and the IO manager brings
its content to the asset's own place, or a ``NewFile`` or ``NewMonth``.
https://docs.dagster.io/guides/build/io-managers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from taxi_assets.cleaning import MonthCounts
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.datasets.stored import Part
from taxi_assets.lake import attributes
from taxi_assets.lake.store import LakeObject, NewObject

__all__ = ["LakeValue", "NewFile", "NewMonth", "PreviousMonth", "StoredFile", "StoredMonth"]


class LakeValue:
    """Base of the values that the lake's IO manager takes besides rows and paths.

    Dagster checks an output against one type; this is the one to annotate.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class StoredFile(LakeValue):
    """An object of the lake. ``redo`` asks to write it although it is in place already."""

    object: LakeObject
    _open: Callable[[LakeObject], Path] = field(repr=False, compare=False)
    redo: bool = False

    def path(self) -> Path:
        """A local file with the content, fetched when first asked for; read it, never write it."""
        return self._open(self.object)

    @property
    def version(self) -> str:
        """What the content is: of a cleaned month its version, else a digest of the bytes."""
        return self.object.attributes.get(attributes.VERSION) or self.object.sha256[:16]

    @property
    def rows(self) -> int | None:
        """Rows by the Parquet footer; ``None`` for another kind of file."""
        return self.object.rows


@dataclass(frozen=True, slots=True)
class StoredMonth(LakeValue):
    """A cleaned month in the lake: trips and rejects of one version."""

    spec: DatasetSpec
    month: Month
    trips: StoredFile
    rejects: StoredFile
    redo: bool = False

    @property
    def version(self) -> str:
        """What the rows are; see ``versions``."""
        return self.trips.version

    @property
    def counts(self) -> MonthCounts:
        """The month's numbers, as they were when it was cleaned."""
        return MonthCounts.from_text(self.trips.object.attributes[attributes.COUNTS])

    @property
    def parts(self) -> dict[Part, StoredFile]:
        """Both files; rejects first, so that who finds the trips finds their rejects."""
        return {Part.REJECTS: self.rejects, Part.TRIPS: self.trips}


@dataclass(frozen=True, slots=True)
class NewFile(LakeValue):
    """A finished local file, in the place of the object ``before`` (``None``: of none)."""

    new: NewObject
    before: LakeObject | None


@dataclass(frozen=True, slots=True)
class PreviousMonth:
    """What lies in a month's place: a whole month, if there is one, and each part's object."""

    stored: StoredMonth | None
    objects: Mapping[Part, LakeObject | None]


@dataclass(frozen=True, slots=True)
class NewMonth(LakeValue):
    """A cleaned, audited month on local disk, in the place of ``before``."""

    trips: NewObject
    rejects: NewObject
    before: PreviousMonth

    @property
    def parts(self) -> dict[Part, NewObject]:
        """Both files, rejects first."""
        return {Part.REJECTS: self.rejects, Part.TRIPS: self.trips}


Handle = TypeVar("Handle", StoredFile, StoredMonth)


def redone(handle: Handle, redo: bool) -> Handle:
    """The same handle, asking (or not) to be written although it is in place."""
    return replace(handle, redo=redo)
