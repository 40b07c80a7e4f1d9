"""Run months in this process, each as one Dagster run of the job that the UI starts.

``dg.execute_job`` (https://docs.dagster.io/guides/build/jobs/job-execution) needs no server. What a
run does belongs to the assets; what this adds is what a launched run gets from Dagster's servers:
its code location, so that the UI lists and re-executes it, and somebody who notices that its
process was killed (``locks``).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dagster as dg

from taxi_assets.automation.jobs import ZONES_JOB, job_name
from taxi_assets.console import PROGRESS, failure_of
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


@dataclass(frozen=True, slots=True)
class Finished:
    """What the runs of one command came to: a line for each failure, seconds by month."""

    failures: list[str]
    seconds: dict[tuple[str, Month], float]


@cache  # Dagster asks for a job several times a run, and resolving it takes a while
def reconstruct(name: str) -> dg.JobDefinition:
    """The job called ``name``; Dagster rebuilds it by this function's name."""
    return defs().resolve_job_def(name)


def run_months(
    instance: dg.DagsterInstance, locks: Path, months: Sequence[tuple[DatasetSpec, Month]]
) -> Finished:
    """Run the months one after the other; the taxi zones come first, once.

    ``locks`` is the folder of the commands' locks. A line per run goes to standard output, the
    traceback of an error that nobody raised on purpose to standard error. Raises
    ``KeyboardInterrupt`` when somebody stops it.
    """
    finished = Finished([], {})
    for killed in report_killed(locks, instance):
        _assign(instance, killed.run_id)
        what = f"{killed.job_name} {killed.tags.get(PARTITION_TAG, '')}".strip()
        print(f"Run {killed.run_id} ({what}), of a command that was killed, is reported failed.")
    with command_lock(locks) as command:
        tags = {
            COMMAND_TAG: command,
            REPOSITORY_TAG: f"__repository__@{LOCATION}",
            # Whoever runs the command sees that a month failed. The daemon would start it again
            # behind their back, and until there is one, Dagster would say that it will.
            MAX_RETRIES_TAG: "0",
        }
        if instance.get_latest_materialization_event(_ZONES) is None:
            _run(instance, ZONES_JOB, tags, "taxi zones", finished)
        for number, (spec, month) in enumerate(months, start=1):
            started = time.monotonic()
            title = f"[{number}/{len(months)}] {spec.name} {month}"
            month_tags = {**tags, PARTITION_TAG: str(month)}
            _run(instance, job_name(spec), month_tags, title, finished)
            finished.seconds[spec.name, month] = time.monotonic() - started
    return finished


def _run(
    instance: dg.DagsterInstance,
    job: str,
    tags: Mapping[str, str],
    title: str,
    finished: Finished,
) -> None:
    print(f"{title} …", end="", flush=True)
    result = dg.execute_job(
        dg.build_reconstructable_job(__name__, reconstruct.__name__, (job,)),
        instance=instance,
        tags=tags,
        run_config={"loggers": {PROGRESS: {}}},
    )
    _assign(instance, result.run_id)
    failure = failure_of(result)
    if failure is None:
        print(" done", flush=True)
        return
    print(" failed", flush=True)
    if failure.trace:
        print(failure.trace, file=sys.stderr)
    finished.failures.append(failure.line)


def _assign(instance: dg.DagsterInstance, run_id: str) -> None:
    """Let the run belong to its job in the code location, or the UI cannot re-execute it."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.run_storage.replace_job_origin(run, job_origin(LOCATION, run.job_name))
