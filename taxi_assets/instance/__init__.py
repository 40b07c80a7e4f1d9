"""The Dagster instance of one machine: where it keeps its records and how it runs.

Belongs here: preparing ``DAGSTER_HOME`` for the commands. Does not: what runs (``definitions``),
instances on a server (``deploy/``).
"""

from __future__ import annotations

import os
from importlib import resources

import dagster as dg

from taxi_assets.settings import Settings

# Downloads wait for the network, so several at once do not hurt; TLC is not to be stormed either.
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
    shipped = resources.files(__package__).joinpath("dagster.yaml")
    (home / "dagster.yaml").write_text(shipped.read_text())
    os.environ["DAGSTER_HOME"] = str(home)
    instance = dg.DagsterInstance.get()
    storage = instance.event_log_storage
    if _TLC_POOL not in {limit.name for limit in storage.get_pool_limits()}:
        storage.set_concurrency_slots(_TLC_POOL, _TLC_DOWNLOADS)
    return instance
