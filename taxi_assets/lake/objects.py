"""An object's name and metadata: what the services accept and return, and metadata as a header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from taxi_assets.errors import Misconfigured

__all__ = ["Found", "check_metadata", "check_name", "from_header", "to_header"]

_LONGEST_NAME = 1024  # bytes of UTF-8 on GCS and S3, characters on Azure


@dataclass(frozen=True, slots=True)
class Found:
    """An object's metadata as the store returns it; ``facts`` as in ``NewObject.described()``."""

    size: int
    version: str
    facts: Mapping[str, str]


def check_name(name: str, uri: str) -> None:
    """Raise ``Misconfigured`` if an object cannot have that name, the prefix included.

    GCS forbids line breaks, and XML, which lists the objects of S3 and Azure, control characters.
    """
    if len(name.encode()) > _LONGEST_NAME or not name.isprintable():
        raise Misconfigured(
            f"{uri!a} cannot be an object: its name has a control character or more than "
            f"{_LONGEST_NAME:,} bytes.",
            "Change the prefix in TAXI_LAKE_URL, or the name of the asset or its partition.",
        )


def check_metadata(metadata: Mapping[str, str], uri: str, service: str, limit: int) -> None:
    """Raise ``Misconfigured`` if names and values have more than ``limit`` bytes together."""
    size = sum(len(text.encode()) for item in metadata.items() for text in item)
    if size > limit:
        raise Misconfigured(
            f"{uri} has {size:,} bytes of attributes, and {service} accepts {limit:,}; nothing was "
            "stored.",
            "Shorten the address in TAXI_TLC_URL, or use a lake in a folder, on Cloud Storage or "
            "on Azure, which accept 8 KiB and more.",
        )


def to_header(facts: Mapping[str, str]) -> dict[str, str]:
    """An object's facts for stores that send metadata as HTTP headers.

    Header values are ASCII, and names lose their case and must be identifiers on Azure; a JSON
    value keeps any name and any text.
    """
    return {"facts": json.dumps(facts)}


def from_header(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """The inverse of ``to_header``; empty if another program wrote the object."""
    facts: dict[str, str] = json.loads((metadata or {}).get("facts", "{}"))
    return facts
