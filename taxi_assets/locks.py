"""Detects killed commands, by a locked file per command that the system unlocks at its death.

Dagster's run monitoring covers only launched runs
(https://docs.dagster.io/deployment/execution/run-monitoring), so the run of a killed command would
stay *Started* and keep its slots in the pools for ever. Each run names its command's file in a
hidden tag, and the next command reports the runs of unlocked files as failed. Process ids are not
used, because the system reuses them.
"""

from __future__ import annotations

import fcntl
import platform
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import dagster as dg

from taxi_assets.dagster_names import hidden

__all__ = ["COMMAND_TAG", "command_lock", "report_killed"]

COMMAND_TAG: Final = hidden("taxi_command")

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@contextmanager
def command_lock(folder: Path) -> Iterator[str]:
    """Lock a file in ``folder`` and yield its name, the value of ``COMMAND_TAG``.

    After an exception the file remains, so that the next command reports unfinished runs.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{_host()}{uuid.uuid4().hex}"
    # Locked before it gets the name that others search for, so that it never looks abandoned.
    unnamed = folder / f".{name}"
    with unnamed.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        unnamed.rename(folder / name)
        yield name
        (folder / name).unlink(missing_ok=True)


def report_killed(folder: Path, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Report the unfinished runs of this host's killed commands as failed, and free their slots.

    Returns those runs. Runs of other hosts are not touched, because they may be alive.
    """
    reported: list[dg.DagsterRun] = []
    for path in sorted(folder.glob("[!.]*")):
        # Missing: its command has just ended. Locked: it is alive, or another reports its runs.
        with suppress(FileNotFoundError, BlockingIOError), path.open() as file:
            if path.name.startswith(_host()):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                reported += _report(instance, path.name)
                path.unlink()
    return reported


def _report(instance: dg.DagsterInstance, command: str) -> list[dg.DagsterRun]:
    filters = dg.RunsFilter(statuses=_UNFINISHED, tags={COMMAND_TAG: command})
    # A run re-executed in the UI has its parent's tags but a process of its own.
    runs = [run for run in instance.get_runs(filters) if run.parent_run_id is None]
    for run in runs:
        instance.report_run_failed(run, "The command that executed this run was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return runs


def _host() -> str:
    return f"{platform.node()}-"
