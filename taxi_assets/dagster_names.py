"""Strings that Dagster interprets but does not export under a public name.

The rest of the package uses only public names of ``dagster``. These strings are shown by Dagster's
documentation or UI and copied from the pinned version; check them when that version changes.
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
    "RUN_STATUS_CURSOR",
    "USER_DATA_VERSION_TAG",
    "WILL_RETRY_TAG",
    "hidden",
    "job_origin",
]

# The partition of a run. ``dg.RunRequest(partition_key=…)`` sets it; ``dg.execute_job`` takes tags
# only. https://docs.dagster.io/guides/build/partitions-and-backfills
PARTITION_TAG: Final = "dagster/partition"

# Allows a run to be retried after a step failed although the instance does not.
# https://docs.dagster.io/deployment/execution/run-retries
RUN_RETRY_TAG: Final = "dagster/retry_on_asset_or_op_failure"

# How often the daemon may retry a run; overrides the instance's setting.
# https://docs.dagster.io/deployment/execution/run-retries
MAX_RETRIES_TAG: Final = "dagster/max_retries"

# Set by Dagster on a failed run that it is about to retry.
WILL_RETRY_TAG: Final = "dagster/will_retry"

# The data version of an observed external asset, and that it was set by user code.
# https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
DATA_VERSION_TAG: Final = "dagster/data_version"
USER_DATA_VERSION_TAG: Final = "dagster/data_version_is_user_provided"

# The code location of a run: Overview and Jobs list runs by it.
REPOSITORY_TAG: Final = ".dagster/repository"

# The class that a run status sensor's cursor names, which is JSON.
RUN_STATUS_CURSOR: Final = "RunStatusSensorCursor"

# Attributes of the ``logging.LogRecord`` that a Dagster logger is given: the event, if it is one,
# and a mapping with the step, the run's tags and the message without a prefix (``orig_message``).
# https://docs.dagster.io/guides/observe/logging/custom-logging
LOG_EVENT: Final = "dagster_event"
LOG_METADATA: Final = "dagster_meta"


def hidden(name: str) -> str:
    """The tag ``name`` with the prefix that hides it in the UI."""
    return f".dagster/{name}"


def job_origin(location: str, job: str) -> Any:
    """The origin that Dagster records of a run: its job and code location.

    A run of ``dg.execute_job`` has none, and without one the UI's *Re-execute* fails. This is
    Dagster's storage format, which later versions must be able to read. Pass it to
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
