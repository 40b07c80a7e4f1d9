"""Materialise months from the command line, through the same jobs that the UI starts.

Belongs here: starting runs in this process, telling how they go, counting what came of them.
Does not: what a run does (``assets``), arguments (``cli``).
"""

from __future__ import annotations

import os
import platform
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import dagster as dg

from taxi_assets.automation.jobs import ZONES_JOB, job_name
from taxi_assets.dagster_names import PARTITION_TAG
from taxi_assets.datasets import DatasetSpec, Month
from taxi_assets.datasets.stored import Part
from taxi_assets.lake import keys
from taxi_assets.lake.store import LakeStore
from taxi_assets.warehouse.base import Warehouse
from taxi_assets.warehouse.tables import table_of

_INVOCATION = "taxi_assets/invocation"
_PROCESS = "taxi_assets/process"  # host and process id of a command's run
_POLL_SECONDS = 0.5
_ZONES = dg.AssetKey("taxi_zones")


@dataclass(frozen=True, slots=True)
class Counted:
    """One month as it lies in lake and warehouse now; ``None`` where it is not there."""

    dataset: str
    month: Month
    published: int | None
    clean: int | None
    rejected: int | None
    lake: int | None
    warehouse: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Finished:
    """What the runs of one invocation came to: a line for each failure, seconds by month."""

    failures: list[str]
    seconds: dict[tuple[str, str], float]


@cache  # Dagster asks for a job several times a run, and resolving it takes a while
def reconstruct(name: str) -> dg.JobDefinition:
    """The job called ``name``; Dagster rebuilds it by this function's name."""
    from taxi_assets.definitions import defs  # noqa: PLC0415 - settings are read when it loads

    return defs.resolve_job_def(name)


def materialise(
    instance: dg.DagsterInstance, specs: Sequence[DatasetSpec], months: Sequence[Month]
) -> Finished:
    """Run the datasets' jobs over ``months``, as many months a run as the dataset allows.

    The taxi zones come first, once.

    Progress goes to standard output, a line per asset and month.
    """
    finished = Finished([], {})
    _end_runs_of_killed_commands(instance)
    if instance.get_latest_materialization_event(_ZONES) is None:
        _run(instance, ZONES_JOB, {}, finished)
    for spec in specs:
        for month in months:
            _run(instance, job_name(spec), {PARTITION_TAG: str(month)}, finished)
    return finished


def count(
    store: LakeStore, warehouse: Warehouse, spec: DatasetSpec, month: Month, seconds: float
) -> Counted:
    """Count a month in the lake's objects and in the warehouse's table."""

    def rows(key: str) -> int | None:
        found = store.find(key)
        return None if found is None else found.rows

    return Counted(
        dataset=spec.name,
        month=month,
        published=rows(keys.raw(spec, month)),
        clean=rows(keys.staging(spec, month, Part.TRIPS)),
        rejected=rows(keys.staging(spec, month, Part.REJECTS)),
        lake=rows(keys.published(spec, month, Part.TRIPS)),
        warehouse=warehouse.count(table_of(spec, Part.TRIPS).name, month),
        seconds=seconds,
    )


def _run(instance: dg.DagsterInstance, job: str, tags: dict[str, str], finished: Finished) -> None:
    invocation = uuid.uuid4().hex
    job_to_run = dg.build_reconstructable_job(__name__, reconstruct.__name__, (job,))
    with _told(instance, invocation):
        result = dg.execute_job(
            job_to_run,
            instance=instance,
            tags={**tags, _INVOCATION: invocation, _PROCESS: f"{platform.node()}:{os.getpid()}"},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    for event in result.all_events:
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            _add_seconds(event, finished)
        elif event.is_step_failure:
            failure = event.step_failure_data.user_failure_data
            error = event.step_failure_data.error
            says = (failure and failure.description) or (error and error.message) or event.message
            finished.failures.extend(str(says).splitlines())
        elif event.is_run_failure and not result.get_failed_step_keys():
            finished.failures.append(f"{job}: {event.message}")


def _end_runs_of_killed_commands(instance: dg.DagsterInstance) -> None:
    """A killed command leaves its run started, holding its places in the pools for ever.

    The daemon watches over runs that it launched; those of a command are in nobody else's care.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        host, _, process = run.tags.get(_PROCESS, "").rpartition(":")
        if process and host == platform.node() and not _alive(int(process)):
            instance.report_run_failed(run, "The command that ran it was killed.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _add_seconds(event: dg.DagsterEvent, finished: Finished) -> None:
    materialization = event.step_materialization_data.materialization
    seconds = materialization.metadata.get("seconds")
    if seconds is not None and event.partition:
        pair = (materialization.asset_key.path[0], event.partition)
        finished.seconds[pair] = finished.seconds.get(pair, 0.0) + float(str(seconds.value))


@contextmanager
def _told(instance: dg.DagsterInstance, invocation: str) -> Iterator[None]:
    """Print the messages of the run tagged ``invocation`` as they are recorded."""
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(instance, invocation, over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _tell(instance: dg.DagsterInstance, invocation: str, over: threading.Event) -> None:
    cursor: str | None = None
    last = False
    while not last:
        last = over.wait(_POLL_SECONDS)  # once more when it is over, for what came in between
        runs = instance.get_runs(dg.RunsFilter(tags={_INVOCATION: invocation}), limit=1)
        if not runs:
            continue
        page = instance.get_records_for_run(runs[0].run_id, cursor=cursor)
        cursor = page.cursor
        for record in page.records:
            entry = record.event_log_entry
            if not entry.is_dagster_event and entry.user_message:
                print(f"  {entry.step_key or ''}: {entry.user_message}", flush=True)  # noqa: T201
