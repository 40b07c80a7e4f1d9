"""Files on their way into a lake; apart from ``lakes``, whose imports take seconds."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from pathlib import Path

from taxi_assets.lake.store import NewObject


def new_file(
    folder: Path,
    content: bytes,
    attributes: Mapping[str, str] | None = None,
    rows: int | None = None,
) -> NewObject:
    """A file of its own with ``content``, on its way into a lake."""
    path = folder / uuid.uuid4().hex
    path.write_bytes(content)
    return NewObject(path, hashlib.sha256(content).hexdigest(), rows, attributes or {})
