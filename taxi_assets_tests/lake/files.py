"""Files to store in a lake; separate from ``lakes``, whose imports take seconds."""

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
    """A new file with ``content``, to store in a lake."""
    path = folder / uuid.uuid4().hex
    path.write_bytes(content)
    return NewObject(path, hashlib.sha256(content).hexdigest(), rows, attributes or {})
