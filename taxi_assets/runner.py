"""Runs months in this process, each as a run of the job that the UI would launch.

``dg.execute_job`` (https://docs.dagster.io/guides/build/jobs/job-execution) needs no server. This
module adds what launched runs get from Dagster's servers: the code location, by which the UI lists
and re-executes a run, and the detection of a killed process (``locks``).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

__all__ = ["Finished", "reconstruct", "run_months"]

_ZONES = dg.AssetKey("taxi_zones")
_CLEANED = "{}__clean_trips"  # the step, which has the asset's configuration


@dataclass(frozen=True, slots=True)
class Finished:
    """The results of a command: a line per failure, a line per failed check that only warns, and
    the duration of each month in seconds.
    """

    failures: list[str]
    warnings: list[str]
    seconds: dict[tuple[str, Month], float]


@cache  # Dagster calls it several times per run, and resolving a job is slow
def reconstruct(name: str) -> dg.JobDefinition:
    """The job ``name``; Dagster refers to this function by its name."""
    return defs().resolve_job_def(name)


def run_months(
    instance: dg.DagsterInstance,
    locks: Path,
    months: Sequence[tuple[DatasetSpec, Month]],
    *,
    accept_rows: int | None = None,
    zones: bool = False,
) -> Finished:
    """Run the months one after the other, and the taxi zones before them.

    The zones are run if they are missing, or with ``zones``. ``locks`` is the folder of the
    commands' locks, ``accept_rows`` the configuration of ``clean_trips``. Prints a line per run to
    standard output and the traceback of an unexpected error to standard error. Raises
    ``KeyboardInterrupt`` on Ctrl-C.
    """
    finished = Finished([], [], {})
    accepted = {"config": {"accept_rows": accept_rows}}
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
        if zones or instance.get_latest_materialization_event(_ZONES) is None:
            _run(instance, ZONES_JOB, tags, "taxi zones", finished)
        for number, (spec, month) in enumerate(months, start=1):
            started = time.monotonic()
            name = f"{spec.name} {month}"
            month_tags = {**tags, PARTITION_TAG: str(month)}
            ops = {} if accept_rows is None else {_CLEANED.format(spec.name): accepted}
            print(f"[{number}/{len(months)}] ", end="")
            _run(instance, job_name(spec), month_tags, name, finished, ops)
            finished.seconds[spec.name, month] = time.monotonic() - started
    return finished


def _run(
    instance: dg.DagsterInstance,
    job: str,
    tags: Mapping[str, str],
    name: str,
    finished: Finished,
    ops: Mapping[str, Any] | None = None,
) -> None:
    print(f"{name} …", end="", flush=True)
    result = dg.execute_job(
        dg.build_reconstructable_job(__name__, reconstruct.__name__, (job,)),
        instance=instance,
        tags=tags,
        run_config={"loggers": {PROGRESS: {}}, "ops": ops or {}},
    )
    _assign(instance, result.run_id)
    finished.warnings.extend(f"{name}: {each}" for each in warnings_of(result))
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
