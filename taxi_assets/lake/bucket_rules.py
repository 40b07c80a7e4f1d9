"""The error rules that all remote stores share; each adds its own codes to them."""

from __future__ import annotations

from taxi_assets.errors import ConcurrentWrite, ObjectMissing
from taxi_assets.lake.store import MATERIALIZE_AGAIN, RUN_AGAIN, WRITTEN_BY_ANOTHER_RUN
from taxi_assets.services import Code, Rule

__all__ = ["bucket_missing", "object_missing", "precondition_failed"]


def precondition_failed(*codes: Code) -> Rule:
    """The rule for a write whose precondition failed."""
    return Rule({412, *codes}, RUN_AGAIN, ConcurrentWrite, happened=WRITTEN_BY_ANOTHER_RUN)


def bucket_missing(*codes: Code, command: str, pattern: str = ".*") -> Rule:
    """The rule for a missing bucket, which ``command`` creates."""
    remedy = f"There is no bucket {{bucket}}: create it (`{command}`) or correct TAXI_LAKE_URL."
    return Rule(set(codes), remedy, pattern=pattern)


def object_missing(*codes: Code) -> Rule:
    """The rule for a missing object."""
    return Rule({404, *codes}, MATERIALIZE_AGAIN, ObjectMissing)
