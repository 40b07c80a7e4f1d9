"""Translates this package's errors into Dagster's failures and retries.

Assets, asset checks and IO managers do their work inside :func:`translated_errors`.
https://docs.dagster.io/guides/build/ops/op-retries explains ``RetryRequested`` and ``Failure``.
Add something here only if it applies to every step; add a new kind of error to ``errors``.

    permanent    ``dg.Failure(allow_retries=False)``: neither the step nor the run is retried
    transient    ``dg.RetryRequested`` twice, then a ``dg.Failure`` of a run that may be retried

A failure carries its facts as metadata, so that notifications and the command line need not parse
its message.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

import dagster as dg

from taxi_assets.dagster_names import RUN_RETRY_TAG
from taxi_assets.errors import TaxiAssetsError, TransientError
from taxi_assets.machine_errors import named_machine_errors

__all__ = ["Context", "FailureFacts", "facts_of", "instance_of", "translated_errors"]

STEP_RETRIES = 2
_STEP_RETRY_SECONDS = 10.0

Context = (
    dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.InputContext | dg.OutputContext
)


@dataclass(frozen=True, slots=True)
class FailureFacts:
    """Why a step failed.

    ``month`` is empty for an unpartitioned asset; ``error`` is the name of the class in ``errors``;
    ``remedy`` states what a person should do.
    """

    dataset: str
    month: str
    asset: str
    error: str
    happened: str
    remedy: str


@contextmanager
def translated_errors(context: Context) -> Iterator[None]:
    """Translate a ``TaxiAssetsError`` raised inside into a failure or a retry.

    A failure of disk or memory is named first. Any other exception is a bug and is not translated,
    because its traceback is needed. Outside a step, as when a notebook calls
    ``defs.load_asset_value``, nothing becomes a failure.
    """
    step = _step_of(context)
    try:
        with named_machine_errors(step.doing if step else "Reading an asset"):
            yield
    except TaxiAssetsError as error:
        if step is None:
            raise
        if isinstance(error, TransientError) and step.attempt < STEP_RETRIES:
            jitter = random.uniform(0.75, 1.25)  # noqa: S311 - so that runs do not retry together
            raise dg.RetryRequested(
                max_retries=STEP_RETRIES,
                seconds_to_wait=_STEP_RETRY_SECONDS * 2**step.attempt * jitter,
            ) from error
        if isinstance(error, TransientError):
            # The instance retries a run with a failed step only if the run has this tag.
            step.instance.add_run_tags(step.run_id, {RUN_RETRY_TAG: "true"})
        step.report(error)
        raise step.failure(error) from error


def instance_of(context: Context) -> dg.DagsterInstance | None:
    """The instance of the current run; ``None`` outside a run."""
    step = _step_of(context)
    return step.instance if step else None


def facts_of(event: dg.DagsterEvent) -> FailureFacts | None:
    """The facts of a step's failure event; ``None`` if it was not translated here."""
    data = event.step_failure_data.user_failure_data
    metadata: Mapping[str, Any] = (data and data.metadata) or {}
    names = [each.name for each in fields(FailureFacts)]
    if not metadata.keys() >= set(names):
        return None
    return FailureFacts(**{name: str(metadata[name].value) for name in names})


@dataclass(frozen=True, slots=True)
class _Step:
    """The current step; ``key`` is ``None`` if it neither materializes nor checks an asset.

    ``execution`` is Dagster's own context of the step.
    """

    execution: Any
    instance: dg.DagsterInstance
    run_id: str
    attempt: int
    key: dg.AssetKey | None
    month: str

    @property
    def doing(self) -> str:
        """The start of a message: ``The step of green/clean_trips 2024-01``."""
        name = self.key.to_user_string() if self.key else "this run"
        return f"The step of {name} {self.month}".rstrip()

    def report(self, error: TaxiAssetsError) -> None:
        """Report the reason as an observation, to show it on the partition's page.

        Of a failure that page shows only that there was one, but it shows observations.
        The contexts' own ``log_event`` would do, but inputs and checks have none.
        """
        if self.key is None:
            return
        observation = dg.AssetObservation(
            self.key,
            partition=self.month or None,
            description=f"Failed: {error.happened}",
            metadata={
                "failed": error.happened,
                "what to do": error.remedy,
                "error": type(error).__name__,
            },
        )
        dg.DagsterEvent.asset_observation(self.execution, observation)

    def failure(self, error: TaxiAssetsError) -> dg.Failure:
        path = self.key.path if self.key else []
        facts = FailureFacts(
            dataset=path[0] if len(path) > 1 else "",
            month=self.month,
            asset="/".join(path),
            error=type(error).__name__,
            happened=error.happened,
            remedy=error.remedy,
        )
        return dg.Failure(description=str(error), metadata=dict(asdict(facts)), allow_retries=False)


def _step_of(context: Context) -> _Step | None:
    """The step of ``context``; ``None`` outside a run."""
    if isinstance(context, dg.InputContext | dg.OutputContext):
        try:
            step = context.step_context
        except dg.DagsterInvariantViolationError:
            return None
    else:
        step = context.get_step_execution_context()
    assets = step.assets_def
    keys = [*assets.keys, *(each.asset_key for each in assets.check_keys)] if assets else []
    return _Step(
        execution=step,
        instance=step.instance,
        run_id=step.run_id,
        attempt=step.previous_attempt_count,
        key=keys[0] if keys else None,
        month=step.partition_key if step.has_partition_key else "",
    )
