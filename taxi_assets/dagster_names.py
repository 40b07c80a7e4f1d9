"""Names that Dagster understands and exports under no public name.

Everything else in this package uses ``dagster``'s public names. What stands here is a string that
Dagster's documentation or its UI shows, copied from the pinned version; look here first when that
version moves.
"""

from __future__ import annotations

import json
from typing import Any, Final

import dagster as dg

__all__ = [
    "DATA_VERSION_TAG",
    "LOG_EVENT",
    "LOG_METADATA",
    "MAX_RETRIES_TAG",
    "PARTITION_TAG",
    "REPOSITORY_TAG",
    "RUN_RETRY_TAG",
    "USER_DATA_VERSION_TAG",
    "WILL_RETRY_TAG",
    "hidden",
    "job_origin",
]

# The partition of a run. ``dg.RunRequest(partition_key=…)`` sets it; ``dg.execute_job`` takes tags
# only. https://docs.dagster.io/guides/build/partitions-and-backfills
PARTITION_TAG: Final = "dagster/partition"

# Whether a run may be retried after a step failed, when the instance says it may not.
# https://docs.dagster.io/deployment/execution/run-retries
RUN_RETRY_TAG: Final = "dagster/retry_on_asset_or_op_failure"

# How often the daemon may retry a run, instead of what the instance says.
# https://docs.dagster.io/deployment/execution/run-retries
MAX_RETRIES_TAG: Final = "dagster/max_retries"

# Set by Dagster on a failed run that it is about to retry.
WILL_RETRY_TAG: Final = "dagster/will_retry"

# The data version of an observed external asset, and that a person's code chose it.
# https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
DATA_VERSION_TAG: Final = "dagster/data_version"
USER_DATA_VERSION_TAG: Final = "dagster/data_version_is_user_provided"

# The code location a run belongs to: Overview and Jobs list runs by it.
REPOSITORY_TAG: Final = ".dagster/repository"

# Attributes of the ``logging.LogRecord`` that a Dagster logger is given: the event, if it is one,
# and a mapping with the step, the run's tags and the message without a prefix (``orig_message``).
# https://docs.dagster.io/guides/observe/logging/custom-logging
LOG_EVENT: Final = "dagster_event"
LOG_METADATA: Final = "dagster_meta"


def hidden(name: str) -> str:
    """The tag ``name`` with the prefix of tags that the UI does not list."""
    return f".dagster/{name}"


def job_origin(location: str, job: str) -> Any:
    """What Dagster records with a run of which job of which code location it is.

    A run that ``dg.execute_job`` made has none, and without it the UI's *Re-execute* fails. This is
    the form in which Dagster stores it, which it must go on reading. Give it to
    ``instance.run_storage.replace_job_origin``, as ``dagster run migrate-repository`` does.
    """
    code_location = {"__class__": "RegisteredRepositoryLocationOrigin", "location_name": location}
    repository = {
        "__class__": "ExternalRepositoryOrigin",
        "repository_location_origin": code_location,
        "repository_name": "__repository__",
    }
    origin = {
        "__class__": "ExternalPipelineOrigin",
        "external_repository_origin": repository,
        "pipeline_name": job,
    }
    return dg.deserialize_value(json.dumps(origin))
