"""A command reports a failed run in one line, with a traceback only for an unexpected error."""

from collections.abc import Callable, Sequence

import dagster as dg
import pytest

from taxi_assets.console import Failure, failure_of, warnings_of
from taxi_assets.errors import CorruptDownload, Misconfigured
from taxi_assets.failures import translated_errors


def job(
    *, assets: Sequence[dg.AssetsDefinition] = (), checks: Sequence[dg.AssetChecksDefinition] = ()
) -> dg.JobDefinition:
    chosen = dg.AssetSelection.all_asset_checks() if checks else dg.AssetSelection.all()
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        resources={"bucket": Bucket()},
        executor=dg.in_process_executor,
        jobs=[dg.define_asset_job("job", chosen)],
    ).resolve_job_def("job")


class Bucket(dg.ConfigurableResource):  # type: ignore[type-arg]  # generic only in its stubs
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        raise Misconfigured("There is no bucket called taxi.", "Create it.")


def broken_download() -> dg.JobDefinition:
    @dg.asset(key=["green", "raw_trips"])
    def raw(context: dg.AssetExecutionContext) -> None:
        with translated_errors(context):
            raise CorruptDownload("The file of\ngreen 2024-01 is cut.", "Download it again.")

    return job(assets=[raw])


def failed_check() -> dg.JobDefinition:
    @dg.asset_check(asset=dg.AssetKey(["green", "warehouse_trips"]), blocking=True)
    def reconciled() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, description="7 rows in the lake, 6 loaded.")

    return job(checks=[reconciled])


def broken_resource() -> dg.JobDefinition:
    @dg.asset
    def stored(bucket: Bucket) -> None: ...

    return job(assets=[stored])


def bug() -> dg.JobDefinition:
    @dg.asset
    def stored() -> None:
        raise KeyError("no such thing")

    return job(assets=[stored])


def no_failure() -> dg.JobDefinition:
    @dg.asset_check(asset=dg.AssetKey("stored"))
    def odd() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False)

    return job(checks=[odd])


def failure(job_function: Callable[[], dg.JobDefinition]) -> Failure | None:
    with dg.instance_for_test() as instance:
        return failure_of(dg.execute_job(dg.reconstructable(job_function), instance=instance))


@pytest.mark.parametrize(
    ("job_function", "line"),
    [
        (broken_download, "green/raw_trips: The file of green 2024-01 is cut. Download it again."),
        (
            failed_check,
            "check reconciled of green/warehouse_trips failed: 7 rows in the lake, 6 loaded.",
        ),
        (broken_resource, "run: There is no bucket called taxi. Create it."),
    ],
)
def test_an_expected_failure_is_one_line(
    job_function: Callable[[], dg.JobDefinition], line: str
) -> None:
    assert failure(job_function) == Failure(line)


def test_a_bug_has_its_traceback() -> None:
    found = failure(bug)
    assert found
    assert found.line == "stored: unexpected KeyError: 'no such thing'"
    assert 'raise KeyError("no such thing")' in found.trace


def test_a_failed_check_that_does_not_block_is_no_failure() -> None:
    assert failure(no_failure) is None


def checked() -> dg.JobDefinition:
    @dg.asset_check(asset=dg.AssetKey("stored"))
    def wrong() -> dg.AssetCheckResult:
        warn = dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(passed=False, severity=warn, description="One\nline.")

    @dg.asset_check(asset=dg.AssetKey("stored"))
    def silent() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)

    @dg.asset_check(asset=dg.AssetKey("stored"))
    def right() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True, severity=dg.AssetCheckSeverity.WARN)

    return job(checks=[wrong, silent, right])


def test_checks_that_only_warn_are_reported() -> None:
    with dg.instance_for_test() as instance:
        result = dg.execute_job(dg.reconstructable(checked), instance=instance)
    assert sorted(warnings_of(result)) == ["One line.", "check silent failed"]
