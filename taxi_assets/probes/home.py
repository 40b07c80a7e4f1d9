"""Probe the folders of this machine, and Dagster's own records and logs.

Dagster's storage is opened as each of its processes does, so that a database is really reached;
tables that Dagster misses there are made. Files of a home that has none yet are made in a temporary
folder.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import dagster as dg

from taxi_assets.addresses import text_shown
from taxi_assets.errors import Misconfigured
from taxi_assets.grants import LOGS, RUNNER, roles
from taxi_assets.instance import home_of, opened
from taxi_assets.probes.folders import require_writable
from taxi_assets.probes.probe import Group, Probe
from taxi_assets.settings import Settings

__all__ = ["HomeProbes"]

_HOME: Final = "home: TAXI_HOME"
_RECORDS: Final = "dagster: records of the runs"
_RIGHTS: Final = (
    "Create what compute_logs in dagster.yaml names, and grant the worker's account the right to "
    f"read, write, list and delete there; on Cloud Storage {roles(RUNNER, LOGS)} on the bucket."
)


class HomeProbes:
    """The probes of the home, scratch and the Dagster instance; ``files`` is a temporary folder."""

    def __init__(self, settings: Settings, name: str, files: Path) -> None:
        self._settings = settings
        self._name = name
        self._files = files
        self._instance: dg.DagsterInstance | None = None

    def group(self) -> Group:
        """All of them, in order."""
        settings = self._settings
        return Group(
            [
                Probe("home: who am I", lambda: f"{_user()} on {socket.gethostname()}"),
                Probe(_HOME, lambda: f"{settings.home}: {require_writable(settings.home)}"),
                Probe(
                    "home: TAXI_SCRATCH",
                    lambda: f"{settings.scratch}: {require_writable(settings.scratch)}",
                ),
                Probe(_RECORDS, self._records, (_HOME,)),
                Probe("dagster: logs of the runs", self._logs, (_RECORDS,)),
            ],
            [Probe("dagster: close", self._close)],
        )

    def _records(self) -> str:
        home, configuration = home_of(self._settings)
        folder = home
        if not (home / "history").is_dir():  # no SQLite files yet
            folder = self._files / "dagster"
            folder.mkdir()
            if configuration.exists():
                shutil.copy(configuration, folder)
        self._instance = opened(home, folder)
        storage = type(self._instance.run_storage).__name__
        return f"{self._instance.get_runs_count():,} runs in {storage} of {home}"

    def _logs(self) -> str:
        assert self._instance is not None
        described = self._instance.get_ref().compute_logs_data
        where = f"{described.class_name} {_container(described.config_dict)}".rstrip()
        key = [self._name]
        try:
            manager = self._instance.compute_log_manager
            try:
                with manager.capture_logs(key):
                    pass
                if not manager.is_capture_complete(key):
                    raise Misconfigured(f"A log that was written to {where} is not there.", _RIGHTS)
                manager.get_log_data(key)
            finally:
                manager.delete_logs(log_key=key)
        except Misconfigured:
            raise
        except Exception as error:  # the manager is pluggable, and its errors have no common class
            reason = f"{type(error).__name__}: {text_shown(str(error))}".rstrip(": ")
            raise Misconfigured(f"Writing a log by {where} failed ({reason}).", _RIGHTS) from error
        return f"written, read and deleted by {where}"

    def _close(self) -> str:
        if self._instance:
            self._instance.dispose()
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"user {os.geteuid()}"


def _container(config: Mapping[str, object]) -> str:
    """The bucket or container in a log manager's configuration, by value or by variable."""
    found = config.get("bucket") or config.get("container") or ""
    return os.environ.get(str(found["env"]), "") if isinstance(found, dict) else str(found)
