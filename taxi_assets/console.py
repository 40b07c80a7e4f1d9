"""The commands' terminal output about a run: its progress on one line, and why it failed.

``progress`` is a Dagster logger (https://docs.dagster.io/guides/observe/logging/custom-logging),
which receives every message and event of a run. Add an event only if it explains a long wait;
anything worth keeping belongs in metadata or the event log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from taxi_assets import errors
from taxi_assets.dagster_names import LOG_EVENT, LOG_METADATA, PARTITION_TAG
from taxi_assets.failures import facts_of

__all__ = ["PROGRESS", "Failure", "failure_of", "progress", "warnings_of"]

PROGRESS: Final = "progress"

# Dagster's record of Ctrl-C, after which execute_job returns instead of raising.
_INTERRUPTED = dg.DagsterExecutionInterruptedError.__name__


@dg.logger(
    config_schema=None,
    description="Progress for a terminal: the assets' own messages, retries and waits.",
)
def progress(context: dg.InitLoggerContext) -> logging.Logger:  # noqa: ARG001 - required by Dagster
    """Appends each message to the current line of the command's output."""
    logger = logging.Logger(PROGRESS, logging.DEBUG)
    logger.addHandler(_Line())
    return logger


class _Line(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self._waiting: set[str | None] = set()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            for text in self._texts(record):
                print(f" {text};", end="", flush=True)
        except Exception:  # noqa: BLE001 - a logging error must not fail the run
            self.handleError(record)

    def _texts(self, record: logging.LogRecord) -> Iterator[str]:
        event: dg.DagsterEvent | None = getattr(record, LOG_EVENT, None)
        if event is None:
            # Of errors the command prints the cause; Dagster also logs each step that they prevent.
            if logging.INFO <= record.levelno < logging.ERROR:
                yield _message(getattr(record, LOG_METADATA))
        elif event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY:
            yield f"next attempt in {event.step_retry_data.seconds_to_wait or 0:.0f} s"
        elif (pool := _blocking_pool(event)) and event.step_key not in self._waiting:
            self._waiting.add(event.step_key)
            yield f"waiting for pool {pool}{_holders(pool)}"


def _message(metadata: dict[str, Any]) -> str:
    """The asset's message without dataset and month, which the command's line already shows."""
    message = str(metadata["orig_message"])
    month = metadata["job_tags"].get(PARTITION_TAG)
    return message.partition(f"{month}: ")[2] or message


def _blocking_pool(event: dg.DagsterEvent) -> str | None:
    if event.event_type is not dg.DagsterEventType.ENGINE_EVENT:
        return None
    pool = event.engine_event_data.metadata.get("pool")
    return None if pool is None else str(pool.value)


def _holders(pool: str) -> str:
    """The steps and runs that currently hold the pool's slots."""
    with dg.DagsterInstance.get() as instance:
        slots = instance.event_log_storage.get_concurrency_info(pool).claimed_slots
        runs = {slot.run_id: instance.get_run_by_id(slot.run_id) for slot in slots}
    holders = [
        f"{slot.step_key.replace('__', '/')} {run.tags.get(PARTITION_TAG, '')} in run {run.run_id}"
        for slot in slots
        if (run := runs[slot.run_id])
    ]
    return f", held by {' and '.join(holders)}" if holders else ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed, in one line; ``trace`` is the traceback of an unexpected error."""

    line: str
    trace: str = ""


def failure_of(result: dg.JobExecutionResult) -> Failure | None:
    """The first failure of a run; ``None`` if it succeeded.

    One is enough, because the steps of a month depend on each other. Raises ``KeyboardInterrupt``
    if the run was interrupted.
    """
    if result.success:
        return None
    for event in result.all_events:
        if event.is_step_failure:
            return _of_step(event, result)
        if event.is_run_failure:
            return _of_error("run", event.job_failure_data.error)
    return Failure("the run ended without a recorded reason; see its page")


def warnings_of(result: dg.JobExecutionResult) -> list[str]:
    """The descriptions of the checks that failed without stopping the run, each in one line."""
    return [
        _one_line(check.description or f"check {check.check_name} failed")
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity is dg.AssetCheckSeverity.WARN
    ]


def _of_step(event: dg.DagsterEvent, result: dg.JobExecutionResult) -> Failure:
    data = event.step_failure_data
    if facts := facts_of(event):
        where = f"{facts.asset} {facts.month}".strip()
        return Failure(f"{where}: {_one_line(f'{facts.happened} {facts.remedy}')}")
    if data.user_failure_data and data.user_failure_data.description:
        return Failure(_one_line(data.user_failure_data.description))
    for other in result.all_events:
        if other.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = other.asset_check_evaluation_data
            failed = not check.passed and check.severity is dg.AssetCheckSeverity.ERROR
            if other.step_key == event.step_key and failed and check.blocking:
                where = f"check {check.check_name} of {check.asset_key.to_user_string()}"
                return Failure(f"{where} failed: {_one_line(check.description or '')}")
    return _of_error(str(event.step_key), data.error)


def _of_error(where: str, error: Any) -> Failure:
    """From an error as Dagster recorded it; a ``TaxiAssetsError`` needs no traceback."""
    cause = error
    while cause is not None:
        if cause.cls_name == _INTERRUPTED:
            raise KeyboardInterrupt
        kind = getattr(errors, cause.cls_name or "", None)
        if isinstance(kind, type) and issubclass(kind, errors.TaxiAssetsError):
            return Failure(f"{where}: {_one_line(cause.message.partition(': ')[2])}")
        cause = cause.cause
    if error is None:
        return Failure(f"{where}: no reason was recorded; see the run's page")
    raised = error.cause or error  # Dagster's own error only states that a step failed
    return Failure(f"{where}: unexpected {_one_line(raised.message)}", error.to_string())


def _one_line(text: str) -> str:
    return " ".join(text.split())
