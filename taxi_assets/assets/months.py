"""How one step works through several months, so that one that fails stops only itself.

Belongs here: isolation of months within a run, what is recorded of each, what is retried. Does
not: what a step does to a month (``trips``), what a check asks (``checks``).

Dagster records one output per step and, for a run over a range of partitions, takes all of them
for made, under one data version. Here a step records each month as it lands, with its own
metadata, data version and checks, tells Dagster not to record the output itself, and fails in
the end if a month did. The executor runs a step once its inputs' outputs are there, so the months
that landed go on (``definitions``); those that did not are left out downstream.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.storage.tags import RETRY_ON_ASSET_OR_OP_FAILURE_TAG

from taxi_assets.assets.checks import Outcome
from taxi_assets.datasets.month import Month
from taxi_assets.errors import AuditFailed, PermanentError, TransientError
from taxi_assets.lake.io_manager import Stored

_STEP_RETRIES = 2
_STEP_RETRY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Landed:
    """One month as a step made it: stored, counted, checked.

    ``data_version`` names the content; ``inputs`` the data versions it was made from.
    """

    data_version: str
    metadata: Mapping[str, Any]
    inputs: Mapping[dg.AssetKey, str]
    outcomes: Sequence[Outcome] = ()
    observed: Sequence[dg.AssetObservation] = field(default=())


class UpstreamFailed(PermanentError):
    """An earlier asset of the same run did not make this month."""


def each_month(
    context: dg.AssetExecutionContext, make: Callable[[Month], Landed], *, code_version: str
) -> Iterator[Any]:
    """Make every month of the run, yielding what Dagster should record.

    ``make`` stores a month and returns what came of it, or raises; the other months go on.
    Raises ``RetryRequested`` while a ``TransientError`` may pass, and in the end ``Failure``,
    which names every month that failed and why.
    """
    failures: dict[Month, Exception] = {}
    already = _landed(context, context.asset_key) if context.retry_number else set()
    landed = len(already)
    for month in map(Month.parse, context.partition_keys):
        if str(month) in already:
            continue
        try:
            _require_upstream(context, month)
            started = time.monotonic()
            result = make(month)
            seconds = time.monotonic() - started
        except Exception as error:
            failures[month] = error
            context.log.error(_sentence(context, month, error), exc_info=_unexpected(error))
            continue
        yield from result.observed
        failed = [each for each in result.outcomes if each.stops_the_month]
        if not failed:
            yield _materialization(context, month, result, code_version, seconds)
            landed += 1
        yield from _evaluations(context, month, result.outcomes)
        if failed:
            reasons = "; ".join(f"{each.check}: {each.description}" for each in failed)
            failures[month] = AuditFailed(f"{reasons} The months downstream are as they were.")
    _retry_if_worthwhile(context, failures)
    if landed:
        yield from _outputs(context)
    if failures:
        raise _failure(context, failures) from next(iter(failures.values()))


def _landed(context: dg.AssetExecutionContext, key: dg.AssetKey) -> set[str]:
    """The months of ``key`` that this run has made so far."""
    return _months(context, key, dg.DagsterEventType.ASSET_MATERIALIZATION)


def _require_upstream(context: dg.AssetExecutionContext, month: Month) -> None:
    for key in sorted(context.assets_def.asset_deps[context.asset_key]):
        planned = _months(context, key, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
        if planned and str(month) not in _landed(context, key):
            raise UpstreamFailed(f"{key.to_user_string()} did not make it in this run.")


def _months(
    context: dg.AssetExecutionContext, key: dg.AssetKey, kind: dg.DagsterEventType
) -> set[str]:
    records = context.instance.get_records_for_run(context.run.run_id, of_type=kind).records
    events = [record.event_log_entry.get_dagster_event() for record in records]
    return {str(event.partition) for event in events if event.asset_key == key}


def _evaluations(
    context: dg.AssetExecutionContext, month: Month, outcomes: Sequence[Outcome]
) -> Iterator[dg.AssetCheckEvaluation]:
    """The verdicts, tied to the month's latest materialization; any other the UI drops."""
    target = _latest_materialization(context, month) if outcomes else None
    for outcome in outcomes:
        yield dg.AssetCheckEvaluation(
            asset_key=context.asset_key,
            check_name=outcome.check,
            passed=outcome.passed,
            severity=outcome.severity,
            description=outcome.description,
            metadata={key: dg.MetadataValue.int(value) for key, value in outcome.counts.items()},
            target_materialization_data=target,
            blocking=outcome.blocking,
            partition=str(month),
        )


def _latest_materialization(
    context: dg.AssetExecutionContext, month: Month
) -> AssetCheckEvaluationTargetMaterializationData | None:
    found = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(context.asset_key, asset_partitions=[str(month)]), limit=1
    )
    for record in found.records:
        return AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
    return None


def _materialization(
    context: dg.AssetExecutionContext,
    month: Month,
    result: Landed,
    code_version: str,
    seconds: float,
) -> dg.AssetMaterialization:
    tags = {
        DATA_VERSION_TAG: result.data_version,
        DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
        CODE_VERSION_TAG: code_version,
    }
    for key, version in result.inputs.items():
        record = context.instance.get_latest_data_version_record(key, partition_key=str(month))
        tags[get_input_data_version_tag(key)] = version
        tags[get_input_event_pointer_tag(key)] = str(record.storage_id) if record else "NULL"
    metadata = {**result.metadata, "seconds": round(seconds, 3)}
    return dg.AssetMaterialization(
        context.asset_key, partition=str(month), metadata=metadata, tags=tags
    )


def _retry_if_worthwhile(
    context: dg.AssetExecutionContext, failures: Mapping[Month, Exception]
) -> None:
    passing = [error for error in failures.values() if isinstance(error, TransientError)]
    if not passing:
        return
    if context.retry_number < _STEP_RETRIES:
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret: runs must not come back as one
        seconds = _STEP_RETRY_SECONDS * 2**context.retry_number * jitter
        raise dg.RetryRequested(max_retries=_STEP_RETRIES, seconds_to_wait=seconds) from passing[0]
    # Dagster retries a run whose step failed only if told so: here, and only for such a failure.
    context.instance.add_run_tags(context.run.run_id, {RETRY_ON_ASSET_OR_OP_FAILURE_TAG: "true"})


def _outputs(context: dg.AssetExecutionContext) -> Iterator[dg.Output[Any]]:
    """The step's outputs, so that what is downstream runs; each month is recorded already."""
    marker = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
    for name in sorted(context.op_execution_context.selected_output_names):
        check_names = {spec.get_python_identifier() for spec in context.assets_def.check_specs}
        if name in check_names:
            yield dg.Output(None, output_name=name)
        else:
            yield dg.Output(Stored(), output_name=name, metadata=marker)


def _failure(context: dg.AssetExecutionContext, failures: Mapping[Month, Exception]) -> dg.Failure:
    sentences = [_sentence(context, month, error) for month, error in failures.items()]
    return dg.Failure(
        description="\n".join(sentences),
        metadata={"failed_months": ", ".join(str(month) for month in failures)},
        allow_retries=False,
    )


def _sentence(context: dg.AssetExecutionContext, month: Month, error: Exception) -> str:
    what = str(error) if not _unexpected(error) else f"{type(error).__name__}: {error}"
    return f"{context.asset_key.to_user_string()} {month} failed: {what}"


def _unexpected(error: Exception) -> bool:
    return not isinstance(error, PermanentError | TransientError)
