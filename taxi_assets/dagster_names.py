"""Names that Dagster understands and exports under no public name.

Everything else in this package uses ``dagster``'s public names. What stands here is a string that
Dagster's documentation or its UI shows, copied from the pinned version; look here first when that
version moves.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "DATA_VERSION_TAG",
    "PARTITION_TAG",
    "REPOSITORY_TAG",
    "RUN_RETRY_TAG",
    "USER_DATA_VERSION_TAG",
    "WILL_RETRY_TAG",
    "hidden",
]

# The partition of a run. ``dg.RunRequest(partition_key=…)`` sets it; ``dg.execute_job`` takes tags
# only. https://docs.dagster.io/guides/build/partitions-and-backfills
PARTITION_TAG: Final = "dagster/partition"

# Whether a run may be retried after a step failed, when the instance says it may not.
# https://docs.dagster.io/deployment/execution/run-retries
RUN_RETRY_TAG: Final = "dagster/retry_on_asset_or_op_failure"

# Set by Dagster on a failed run that it is about to retry.
WILL_RETRY_TAG: Final = "dagster/will_retry"

# The data version of an observed external asset, and that a person's code chose it.
# https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
DATA_VERSION_TAG: Final = "dagster/data_version"
USER_DATA_VERSION_TAG: Final = "dagster/data_version_is_user_provided"

# The code location a run belongs to: Overview and Jobs list runs by it.
REPOSITORY_TAG: Final = ".dagster/repository"


def hidden(name: str) -> str:
    """The tag ``name`` with the prefix of tags that the UI does not list."""
    return f".dagster/{name}"
