"""The Dagster instance of one machine: where it keeps its records, and how it runs.

An instance is a folder, ``DAGSTER_HOME``, with a ``dagster.yaml``
(https://docs.dagster.io/deployment/oss/oss-instance-configuration). Settings of Dagster's that a
laptop needs go into that file; a server's are in ``deploy/``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import dagster as dg

from taxi_assets.settings import Settings

__all__ = ["LOCATION", "WORKSPACE", "prepared"]

# The code location, in every workspace, deployment and run: the UI finds runs by it.
LOCATION: Final = "taxi_assets"

WORKSPACE: Final = Path(__file__).with_name("workspace.yaml")

# Downloads wait for the network, so several at once do not hurt; TLC must not be overrun either.
_TLC_POOL, _TLC_DOWNLOADS = "tlc", 4


def prepared(settings: Settings) -> dg.DagsterInstance:
    """The instance in ``DAGSTER_HOME``, to be used in a ``with``.

    Without one in the environment it is ``dagster`` in the platform's home, with this package's
    ``dagster.yaml``, which is written again each time; the environment's own is left as it is.
    """
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_bytes(Path(__file__).with_name("dagster.yaml").read_bytes())
    os.environ["DAGSTER_HOME"] = str(home)
    instance = dg.DagsterInstance.get()
    storage = instance.event_log_storage
    if _TLC_POOL not in {limit.name for limit in storage.get_pool_limits()}:
        storage.set_concurrency_slots(_TLC_POOL, _TLC_DOWNLOADS)
    return instance
