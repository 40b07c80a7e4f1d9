"""Run the month's job of the real definitions, in a child process of the harness."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import dagster as dg

from taxi_assets import failures
from taxi_assets.automation.jobs import ZONES_JOB, job_name
from taxi_assets.console import failure_of
from taxi_assets.dagster_names import MAX_RETRIES_TAG
from taxi_assets.definitions import build_definitions
from taxi_assets.settings import Settings
from taxi_assets_tests.faults.months import MONTH, SPEC

__all__ = ["Outcome", "adopt", "imported", "load_month", "load_zones", "warm_up"]

Outcome = str
"""The failure's line as the command prints it, with a traceback if it has one; empty on success."""

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_instances: list[dg.DagsterInstance] = []


def warm_up() -> None:
    """Import what a run imports, and make the records that each child gets a copy of."""
    build_definitions(Settings.from_env({})).resolve_job_def(job_name(SPEC))
    _instances.append(dg.DagsterInstance.ephemeral())


def imported() -> list[str]:
    """The modules that this process has imported."""
    return [name for name in sys.modules if not name.startswith("__")]


def adopt(modules: Iterable[str]) -> None:
    """Import what a child has imported, so that later children need not."""
    for name in modules:
        if name not in sys.modules:
            with suppress(ImportError):  # made by the module that a child imported
                importlib.import_module(name)


def load_month(before: Callable[[], None] | None = None) -> Outcome:
    """Load the month as the settings in the environment say; ``before`` is called after set-up."""
    return _run(job_name(SPEC), str(MONTH), before)


def load_zones() -> Outcome:
    """Load the taxi zones."""
    return _run(ZONES_JOB, None, None)


def _run(job: str, partition: str | None, before: Callable[[], None] | None) -> Outcome:
    # Set, because Python would first write a file there to see whether it can.
    tempfile.tempdir = os.environ["TMPDIR"]
    # Steps wait ten seconds before they are tried again; nothing here takes so long to be free.
    failures._STEP_RETRY_SECONDS = 0.2
    definitions = build_definitions(Settings.from_env())
    execute = partial(
        definitions.resolve_job_def(job).execute_in_process,
        partition_key=partition,
        instance=_instances[0],
        tags={MAX_RETRIES_TAG: "0"},
        run_config=_QUIET,
        raise_on_error=False,
    )
    if before is not None:
        before()
    failure = failure_of(execute())  # type: ignore[arg-type] # has the same events
    return "" if failure is None else f"{failure.line}\n{failure.trace}".strip()
