"""Write a month into the lake, so that one write switches it.

The rejects lie under a key of their version and are written first. Then the trips object, whose
attribute ``REJECTS`` names them, is replaced under a precondition. So whenever a writer is killed
and whoever else writes, a reader of the trips finds the rejects of the same version. Rejects that
the trips no longer name are deleted afterwards, by the writer or, if it was killed, by the next
one. ``Lake.month`` reads a month.
"""

from __future__ import annotations

from taxi_assets.lake import attributes, keys
from taxi_assets.lake.handles import NewMonth, StoredFile, StoredMonth
from taxi_assets.lake.lake import Lake
from taxi_assets.lake.store import LakeObject, NewObject, concurrent_write

__all__ = ["same_version", "write_month"]


def write_month(
    lake: Lake, key: str, value: NewMonth | StoredMonth
) -> tuple[LakeObject, LakeObject, bool]:
    """Store a month, new or handed on, so that its trips are under ``key``.

    Returns trips, rejects and whether anything was written; a month that is in place in this
    version is not written again. Raises ``ConcurrentWrite`` if another run has written the month
    since this one began.
    """
    before = value.before.trips if isinstance(value, NewMonth) else lake.store.find(key)
    if isinstance(value, StoredMonth) and before and _is_in_place(value, before):
        existing = lake.rejects_of(before)
        if existing is not None:
            _delete_unnamed_rejects(lake, before, existing.key)
            return before, existing, False
    trips = value.trips.object if isinstance(value, StoredMonth) else value.trips
    rejects_key = keys.rejects(key, trips.attributes[attributes.REJECTS])
    rejects = _write(lake, value.rejects, rejects_key, replacing=lake.store.find(rejects_key))
    stored = _write(lake, value.trips, key, replacing=before)
    if lake.store.find(rejects_key) is None:
        # A run that found the previous month in place has deleted them, as not named by its trips.
        raise concurrent_write(rejects.uri)
    _delete_unnamed_rejects(lake, stored, rejects_key)
    return stored, rejects, True


def same_version(existing: LakeObject, new: LakeObject) -> bool:
    """Whether both have the same version, or the same content if ``new`` has no version."""
    if version := new.attributes.get(attributes.VERSION):
        return existing.attributes.get(attributes.VERSION) == version
    return existing.sha256 == new.sha256


def _is_in_place(value: StoredMonth, before: LakeObject) -> bool:
    if value.trips.object.key == before.key:
        return True
    return not value.redo and same_version(before, value.trips.object)


def _write(
    lake: Lake, file: NewObject | StoredFile, key: str, *, replacing: LakeObject | None
) -> LakeObject:
    if isinstance(file, NewObject):
        return lake.put(file, key, replacing=replacing)
    return lake.store.copy(file.object, key, replacing=replacing)


def _delete_unnamed_rejects(lake: Lake, trips: LakeObject, named: str) -> None:
    for key in lake.store.keys(keys.rejects(trips.key, "rejects")):
        if key != named:
            current = lake.store.find(trips.key)
            if current is None or current.version != trips.version:
                return  # another run has switched the month, and deletes what it does not name
            lake.store.delete(key)
