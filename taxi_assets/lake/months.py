"""Write a month into the lake, so that one write switches it.

The rejects are written first, under a key of their version. Then the trips object, whose attribute
``REJECTS`` names them, is replaced under a precondition. So whenever a writer is killed and whoever
else writes, a reader of the trips finds the rejects of the same version. ``Lake.month`` reads a
month.

Rejects that the trips do not name are deleted: by the writer or, if it was killed, by the next one.
Their key also says which trips object their writer found and will replace. If there is another one
by now, that writer can only fail, so that they can be deleted at any time, and only then.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

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
            _delete_abandoned_rejects(lake, key)
            return before, existing, False
    given = value.trips.object if isinstance(value, StoredMonth) else value.trips
    version = given.attributes[attributes.VERSION]
    name = f"rejects-{version}-{_token(before)}.parquet"
    rejects_key = keys.rejects(key, name)
    rejects = _write(lake, value.rejects, rejects_key, replacing=lake.store.find(rejects_key))
    stored = _write(lake, value.trips, key, replacing=before, rejects=name)
    if lake.store.find(rejects_key) is None:  # only if the store ignored the precondition
        raise concurrent_write(rejects.uri)
    _delete_abandoned_rejects(lake, key)
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


def _token(trips: LakeObject | None) -> str:
    """A short text for the trips object, or for its absence, in the key of rejects.

    S3 gives the same content the same version. The name of its rejects, which has such a token of
    the object before, tells two such objects apart.
    """
    facts = (trips.version, trips.attributes.get(attributes.REJECTS, "")) if trips else ()
    return hashlib.sha256(" ".join(facts).encode()).hexdigest()[:8]


def _write(
    lake: Lake,
    file: NewObject | StoredFile,
    key: str,
    *,
    replacing: LakeObject | None,
    rejects: str | None = None,
) -> LakeObject:
    """Store the file, with the name of its rejects if it is the trips."""
    given = file if isinstance(file, NewObject) else file.object
    named = {**given.attributes, **({attributes.REJECTS: rejects} if rejects else {})}
    if isinstance(file, NewObject):
        return lake.put(replace(file, attributes=named), key, replacing=replacing)
    return lake.store.copy(file.object, key, replacing=replacing, attributes=named)


def _delete_abandoned_rejects(lake: Lake, key: str) -> None:
    """Delete the rejects that the trips under ``key`` do not name and no writer will switch to."""
    others = list(lake.store.keys(keys.rejects(key, "rejects")))
    current = lake.store.find(key) if len(others) > 1 else None
    if current is not None:
        kept, of_writers = lake.rejects_key(current), f"-{_token(current)}.parquet"
        for each in others:
            if each != kept and not each.endswith(of_writers):
                lake.store.delete(each)
