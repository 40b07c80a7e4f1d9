"""The Dagster instance on one machine.

An instance is a folder, ``DAGSTER_HOME``, with a ``dagster.yaml``
(https://docs.dagster.io/deployment/oss/oss-instance-configuration). Add Dagster settings for a
laptop to this package's ``dagster.yaml``; those of a server are in ``deploy/``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import dagster as dg

from taxi_assets.settings import Settings

__all__ = ["LOCATION", "WORKSPACE", "prepared"]

# The code location's name in every workspace, deployment and run, by which the UI finds runs.
LOCATION: Final = "taxi_assets"

WORKSPACE: Final = Path(__file__).with_name("workspace.yaml")

# Downloads mostly wait for the network, so several run at once, but not too many for TLC's site.
_TLC_POOL, _TLC_DOWNLOADS = "tlc", 4


def prepared(settings: Settings) -> dg.DagsterInstance:
    """The instance in ``DAGSTER_HOME``, a context manager.

    If that variable is not set, it is set to ``dagster`` in the platform's home, and this package's
    ``dagster.yaml`` is written there each time. A folder named by the environment is not changed.
    """
    settings.set_umask()
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    home = settings.home / "dagster"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "dagster.yaml").write_bytes(Path(__file__).with_name("dagster.yaml").read_bytes())
    os.environ["DAGSTER_HOME"] = str(home)
    instance = dg.DagsterInstance.get()
    storage = instance.event_log_storage
    if _TLC_POOL not in {limit.name for limit in storage.get_pool_limits()}:
        storage.set_concurrency_slots(_TLC_POOL, _TLC_DOWNLOADS)
    return instance
