"""Probe a lake: the requests of a month, and that its store itself enforces preconditions.

A run looks at an object's version before it writes, so that only two runs of the same month at the
same time need the store's precondition. Here the looking is switched off.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from taxi_assets.addresses import lake_address
from taxi_assets.errors import ConcurrentWrite, Misconfigured
from taxi_assets.lake.bucket import PART_SIZE, BucketStore
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.store import LakeObject, LakeStore, NewObject
from taxi_assets.probes.folders import existing, remove_empty
from taxi_assets.probes.names import left_behind
from taxi_assets.probes.probe import Group, Probe
from taxi_assets.wording import counted, listed

__all__ = ["FOLDER", "WRITE", "LakeProbes"]

FOLDER: Final = "checks"
WRITE: Final = "lake: write an object"
_OWN_FILES: Final = (".lock", ".incoming", ".facts")  # of a local lake
_LIST: Final = "lake: list objects"
_COPY: Final = "lake: copy an object"

_ATTRIBUTES: Final = {
    "Mixed-Case.and dots": "kept",
    "unicode": "Straße · 東京",
    "quotes": "\"double\", 'single', back\\slash; {json: [1]}",
    "url": "https://tlc.example/a%20b?x=1&y=%C3%BC#part",
    "lines": " one\ntwo\ttabbed ",
    "empty": "",
}
_NOT_ENFORCED: Final = (
    "Two runs of the same month at the same time could overwrite each other: use a store that "
    "enforces preconditions on {request}, as Amazon S3, Cloud Storage and Azure do."
)


class LakeProbes:
    """The probes of the lake at ``url``, below ``checks/<name>``; ``files`` is a local folder."""

    def __init__(self, url: str, name: str, files: Path) -> None:
        self._url = url.rstrip("/")
        self._name = name
        self._files = files
        self._root = lake_address(url).folder
        self._before = existing(self._root.absolute()) if self._root else None
        self._wrote = False
        self._written: LakeObject | None = None

    @cached_property
    def _lake(self) -> LakeStore:
        return open_store(self._url)

    @cached_property
    def store(self) -> LakeStore:
        """A lake within the lake, which only this check uses."""
        store = open_store(f"{self._url}/{FOLDER}/{self._name}")
        if isinstance(store, BucketStore):
            store.looks_first = False
        return store

    def put(self, content: bytes, key: str, *, replacing: LakeObject | None) -> LakeObject:
        """Store ``content``; it is removed by ``clean_up``."""
        path = self._files / uuid.uuid4().hex
        path.write_bytes(content)
        self._wrote = True
        new = NewObject(path, hashlib.sha256(content).hexdigest(), len(content), _ATTRIBUTES)
        return self.store.put(new, key, replacing=replacing)

    def group(self) -> Group:
        """All of them, in order."""
        written, copied = (WRITE,), (_COPY,)
        return Group(
            [
                Probe(_LIST, self._list),
                Probe("lake: leftovers of killed checks", self._remove_old, (_LIST,)),
                Probe(WRITE, self._write, (_LIST,)),
                Probe("lake: metadata is kept", self._metadata, written),
                Probe("lake: overwrite an object", self._overwrite, written),
                Probe("lake: precondition: create", self._create_again, written),
                Probe("lake: precondition: overwrite", self._overwrite_stale, written),
                Probe("lake: precondition: in parts", self._parts, written),
                Probe(_COPY, self._copy, written),
                Probe("lake: precondition: copy's target", self._copy_again, copied),
                Probe("lake: precondition: copy's source", self._copy_stale, copied),
                Probe("lake: read an object", self._read, written),
            ],
            [self.clean_up("lake: delete")],
        )

    def clean_up(self, name: str) -> Probe:
        """The probe that deletes everything that was put."""
        return Probe(name, self._clean_up)

    def _list(self) -> str:
        closed = [
            path
            for name in _OWN_FILES
            if self._root and (path := self._root / name).exists() and not os.access(path, os.W_OK)
        ]
        if closed:
            raise Misconfigured(
                f"{closed[0]} cannot be written by this user.",
                f"Let this user own the lake: `chown -R USER {self._root}`.",
            )
        next(self._lake.keys(f"{FOLDER}/"), None)
        return self._lake.url

    def _remove_old(self) -> str:
        old = left_behind(_names(self._lake, self._root))
        for name in old:
            _remove(self._lake, self._root, name)
        return f"{listed(old)} removed" if old else ""

    def _write(self) -> str:
        self._written = self.put(b"first", "object", replacing=None)
        return self._written.uri

    def _metadata(self) -> str:
        found = self.store.get("object", remedy="")
        kept = found.described()
        lost = [name for name, text in self._stored.described().items() if kept.get(name) != text]
        if lost:
            raise Misconfigured(
                f"{found.uri} was stored without its metadata ({listed(lost)}).",
                "Use a store that keeps the metadata of objects as it was written.",
            )
        return counted(len(kept), "text")

    def _overwrite(self) -> str:
        stale = self._stored
        self._written = self.put(b"second", "object", replacing=stale)
        return "the version that was found is replaced"

    def _create_again(self) -> str:
        return _refused(lambda: self.put(b"third", "object", replacing=None), "writes")

    def _overwrite_stale(self) -> str:
        before = self.put(b"before", "replaced", replacing=None)
        self.put(b"after", "replaced", replacing=before)
        return _refused(lambda: self.put(b"lost", "replaced", replacing=before), "writes")

    def _parts(self) -> str:
        content, request = bytes(PART_SIZE + 1), "writes in parts"
        before = self.put(b"before", "parts", replacing=None)
        _refused(lambda: self.put(content, "parts", replacing=None), request)
        self.put(b"after", "parts", replacing=before)
        return _refused(lambda: self.put(content, "parts", replacing=before), request)

    def _copy(self) -> str:
        changed = {**_ATTRIBUTES, "copied": "yes"}
        copied = self.store.copy(self._stored, "copy", replacing=None, attributes=changed)
        if self.store.get("copy", remedy="").attributes != changed:
            raise Misconfigured(
                f"{copied.uri} was copied without its new metadata.",
                "Use a store that replaces the metadata of a copy.",
            )
        return "with new metadata"

    def _copy_again(self) -> str:
        return _refused(lambda: self._copy_to("copy", self._stored), "copies")

    def _copy_stale(self) -> str:
        source = self.put(b"source", "source", replacing=None)
        self.put(b"newer source", "source", replacing=source)
        return _refused(lambda: self._copy_to("copy-of-stale", source), "copies' sources")

    def _copy_to(self, key: str, source: LakeObject) -> LakeObject:
        return self.store.copy(source, key, replacing=None, attributes=_stamped())

    def _read(self) -> str:
        path = self.store.fetch(self.store.get("object", remedy=""), self._files / "fetched")
        return f"{counted(path.stat().st_size, 'byte')}, with their checksum"

    @property
    def _stored(self) -> LakeObject:
        assert self._written is not None
        return self._written

    def _clean_up(self) -> str:
        if not self._wrote:
            return ""
        _remove(self._lake, self._root, self._name)
        if self._root and self._before:
            remove_empty(self._root.absolute() / FOLDER, self._before)
        left = list(self.store.keys(""))
        if left:
            raise Misconfigured(
                f"{counted(len(left), 'object')} below {self.store.url} cannot be deleted.",
                "Grant the right to delete objects, and delete them.",
            )
        return "nothing is left"


def _names(store: LakeStore, root: Path | None) -> list[str]:
    """The names of all checks that have something in the lake."""
    if root:
        return sorted(path.name for path in (root / FOLDER).glob("*"))
    return sorted({key.split("/")[1] for key in store.keys(f"{FOLDER}/")})


def _remove(store: LakeStore, root: Path | None, name: str) -> None:
    """Delete what the check ``name`` has in the lake."""
    if root:
        shutil.rmtree(root / FOLDER / name, ignore_errors=True)
        return
    for key in store.keys(f"{FOLDER}/{name}/"):
        store.delete(key)


def _stamped() -> Mapping[str, str]:
    """Attributes that no other copy has, so that it is not taken for this one."""
    return {"copied": uuid.uuid4().hex}


def _refused(write: Callable[[], LakeObject], request: str) -> str:
    """Raise ``Misconfigured`` unless the store refuses ``write`` for its precondition."""
    try:
        accepted = write()
    except ConcurrentWrite:
        return "refused by the store"
    raise Misconfigured(
        f"{accepted.uri} was written although its precondition did not hold: this store does not "
        f"enforce preconditions on {request}.",
        _NOT_ENFORCED.format(request=request),
    )
