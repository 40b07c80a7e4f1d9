"""Which commands are alive: a locked file each, which the system unlocks when the process dies.

A run that a command executes is in nobody else's care: Dagster's run monitoring watches only runs
that were launched (https://docs.dagster.io/deployment/execution/run-monitoring). When the command
is killed, its run would stay *Started* and keep its slots in the pools for ever. So each of its
runs names the command's file in a hidden tag, and the next command reports the runs of files that
nobody holds as failed. No process id is asked for, since those are given away again.
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
    """Hold a file of this process in ``folder``; its name is what ``COMMAND_TAG`` is set to.

    Whoever leaves by an exception leaves the file, and with it what runs may be unfinished.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{_host()}{uuid.uuid4().hex}"
    # Locked before it has the name that others look for: it never seems to be a dead command's.
    unnamed = folder / f".{name}"
    with unnamed.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        unnamed.rename(folder / name)
        yield name
        (folder / name).unlink(missing_ok=True)


def report_killed(folder: Path, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Report the unfinished runs of this host's dead commands as failed, and free their slots.

    Returns those runs. Runs of another host are not touched: this one cannot know whether they
    are alive.
    """
    reported: list[dg.DagsterRun] = []
    for path in sorted(folder.glob("[!.]*")):
        # Gone: its command ended meanwhile. Blocked: it is alive, or another reports its runs.
        with suppress(FileNotFoundError, BlockingIOError), path.open() as file:
            if path.name.startswith(_host()):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                reported += _report(instance, path.name)
                path.unlink()
    return reported


def _report(instance: dg.DagsterInstance, command: str) -> list[dg.DagsterRun]:
    filters = dg.RunsFilter(statuses=_UNFINISHED, tags={COMMAND_TAG: command})
    # A run that somebody re-executed in the UI has its parent's tags, and a process of its own.
    runs = [run for run in instance.get_runs(filters) if run.parent_run_id is None]
    for run in runs:
        instance.report_run_failed(run, "The command that executed this run was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return runs


def _host() -> str:
    return f"{platform.node()}-"
