"""Runs months in this process, each as a run of the job that the UI would launch.

``dg.execute_job`` (https://docs.dagster.io/guides/build/jobs/job-execution) needs no server. This
module adds what launched runs get from Dagster's servers: the code location, by which the UI lists
and re-executes a run, and the detection of a killed process (``locks``).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from taxi_assets.automation.jobs import ZONES_JOB, job_name
from taxi_assets.console import PROGRESS, failure_of, warnings_of
from taxi_assets.dagster_names import (
    MAX_RETRIES_TAG,
    PARTITION_TAG,
    REPOSITORY_TAG,
    job_origin,
)
from taxi_assets.datasets import DatasetSpec, Month
from taxi_assets.definitions import defs
from taxi_assets.instance import LOCATION
from taxi_assets.locks import COMMAND_TAG, command_lock, report_killed

__all__ = [
    "ZONES_RUN",
    "Finished",
    "Requested",
    "month_run",
    "month_runs",
    "reconstruct",
    "run_all",
]


@dataclass(frozen=True, slots=True)
class Finished:
    """The results of a command: a line per failure, a line per failed check that only warns, and
    the duration of each month in seconds.
    """

    failures: list[str]
    warnings: list[str]
    seconds: dict[tuple[str, Month], float]


@dataclass(frozen=True, slots=True)
class Requested:
    """A run to make: of ``job``, which messages call ``name``, with the configuration ``ops``.

    ``month`` is ``None`` for the zones. ``assets`` are those of the job to run, ``None``: all.
    """

    job: str
    name: str
    month: tuple[DatasetSpec, Month] | None = None
    ops: Mapping[str, Any] = field(default_factory=dict)
    assets: Sequence[dg.AssetKey] | None = None


def month_run(
    spec: DatasetSpec,
    month: Month,
    ops: Mapping[str, Any] | None = None,
    assets: Sequence[str] | None = None,
) -> Requested:
    """The run of a month; ``ops`` is the configuration by the names of assets, as ``assets``."""
    return Requested(
        job_name(spec),
        f"{spec.name} {month}",
        (spec, month),
        {f"{spec.name}__{name}": {"config": config} for name, config in (ops or {}).items()},
        None if assets is None else [dg.AssetKey([spec.name, name]) for name in assets],
    )


# Loads the taxi zones, or refreshes them if TLC's files have changed.
ZONES_RUN = Requested(ZONES_JOB, "taxi zones")


@cache  # Dagster calls it several times per run, and resolving a job is slow
def reconstruct(name: str) -> dg.JobDefinition:
    """The job ``name``; Dagster refers to this function by its name."""
    return defs().resolve_job_def(name)


def month_runs(
    months: Sequence[tuple[DatasetSpec, Month]], *, accept_rows: int | None = None
) -> list[Requested]:
    """The runs of months, and before them that of the taxi zones.

    ``accept_rows`` is the configuration of ``clean_trips``.
    """
    ops = {} if accept_rows is None else {"clean_trips": {"accept_rows": accept_rows}}
    return [ZONES_RUN, *(month_run(spec, month, ops) for spec, month in months)]


def run_all(instance: dg.DagsterInstance, locks: Path, runs: Sequence[Requested]) -> Finished:
    """Make the runs one after the other.

    ``locks`` is the folder of the commands' locks. Prints a line per run to standard output and the
    traceback of an unexpected error to standard error. Raises ``KeyboardInterrupt`` on Ctrl-C.
    """
    finished = Finished([], [], {})
    months = sum(run.month is not None for run in runs)
    number = 0
    for killed in report_killed(locks, instance):
        _assign(instance, killed.run_id)
        title = f"{killed.job_name} {killed.tags.get(PARTITION_TAG, '')}".strip()
        print(f"Reported run {killed.run_id} ({title}) of a killed command as failed.")
    with command_lock(locks) as command:
        tags = {
            COMMAND_TAG: command,
            REPOSITORY_TAG: f"__repository__@{LOCATION}",
            # The command itself reports a failed month. Without this tag the daemon would retry
            # it unexpectedly, and without a daemon the UI would show a pending retry.
            MAX_RETRIES_TAG: "0",
        }
        for run in runs:
            started = time.monotonic()
            if run.month is None:
                _run(instance, run, tags, finished)
                continue
            spec, month = run.month
            number += 1
            print(f"[{number}/{months}] ", end="")
            _run(instance, run, {**tags, PARTITION_TAG: str(month)}, finished)
            finished.seconds[spec.name, month] = time.monotonic() - started
    return finished


def _run(
    instance: dg.DagsterInstance, run: Requested, tags: Mapping[str, str], finished: Finished
) -> None:
    print(f"{run.name} …", end="", flush=True)
    result = dg.execute_job(
        dg.build_reconstructable_job(__name__, reconstruct.__name__, (run.job,)),
        instance=instance,
        tags=tags,
        run_config={"loggers": {PROGRESS: {}}, "ops": run.ops},
        asset_selection=run.assets,
    )
    _assign(instance, result.run_id)
    finished.warnings.extend(f"{run.name}: {each}" for each in warnings_of(result))
    failure = failure_of(result)
    if failure is None:
        print(" done", flush=True)
        return
    print(" failed", flush=True)
    if failure.trace:
        print(failure.trace, file=sys.stderr)
    finished.failures.append(failure.line)


def _assign(instance: dg.DagsterInstance, run_id: str) -> None:
    """Assign the run to its job in the code location, so that the UI can re-execute it."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.run_storage.replace_job_origin(run, job_origin(LOCATION, run.job_name))
