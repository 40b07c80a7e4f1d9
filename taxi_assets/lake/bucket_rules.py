"""The error rules that all remote stores share; each adds its own codes to them."""

from __future__ import annotations

from taxi_assets.errors import ConcurrentWrite, ObjectMissing
from taxi_assets.lake.store import MATERIALIZE_AGAIN, RUN_AGAIN, WRITTEN_BY_ANOTHER_RUN
from taxi_assets.services import Code, Rule

__all__ = [
    "account_unusable",
    "bucket_missing",
    "clock_wrong",
    "locked",
    "object_missing",
    "over_a_limit",
    "precondition_failed",
    "upload_ended",
]


def precondition_failed(*codes: Code) -> Rule:
    """The rule for a write whose precondition failed."""
    return Rule({412, *codes}, RUN_AGAIN, ConcurrentWrite, happened=WRITTEN_BY_ANOTHER_RUN)


def upload_ended(*codes: Code) -> Rule:
    """The rule for an upload whose parts are gone: it was aborted, or completed by a request whose
    answer was lost, which ``BucketStore.put`` finds out. By whom is not known: another run, or a
    lifecycle rule of the bucket.
    """
    happened = "{doing} failed: its parts were removed meanwhile ({service}: {message})."
    return Rule(set(codes), "Run the month again.", ConcurrentWrite, happened=happened)


def bucket_missing(*codes: Code, command: str, pattern: str = ".*") -> Rule:
    """The rule for a missing bucket, which ``command`` creates."""
    remedy = f"There is no bucket {{bucket}}: create it (`{command}`) or correct TAXI_LAKE_URL."
    return Rule(set(codes), remedy, pattern=pattern)


def object_missing(*codes: Code) -> Rule:
    """The rule for a missing object."""
    return Rule({404, *codes}, MATERIALIZE_AGAIN, ObjectMissing)


def account_unusable(*codes: Code) -> Rule:
    """The rule for an account that the provider has disabled, or that has to sign up or pay."""
    return Rule(set(codes), "Ask whoever pays for the account, or the provider's support.")


def clock_wrong(*codes: Code, pattern: str = ".*") -> Rule:
    """The rule for a request whose time the service does not accept."""
    return Rule(set(codes), "Set the clock of this machine (NTP).", pattern=pattern)


def locked(*codes: Code, pattern: str = ".*") -> Rule:
    """The rule for an object or a bucket that somebody protects from changes or has archived."""
    remedy = (
        "Months are replaced and deleted: on {bucket} there must be no retention policy, hold, "
        "immutability policy, lease or archive class for the lake's prefix."
    )
    return Rule(set(codes), remedy, pattern=pattern)


def over_a_limit(*codes: Code, pattern: str = ".*") -> Rule:
    """The rule for a name, metadata, a part or a file of a size that the service refuses."""
    remedy = (
        "Shorten the prefix in TAXI_LAKE_URL if the name or the metadata is too long; a store that "
        "accepts less than the service it imitates cannot be used."
    )
    return Rule(set(codes), remedy, pattern=pattern)
