"""The real definitions with a lake and a warehouse of their own, for tests of the assets.

Runs are executed in this process as Dagster's run worker executes them. Add here what several test
modules ask of a run or of its results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from taxi_assets.dagster_names import DATA_VERSION_TAG, PARTITION_TAG
from taxi_assets.datasets.month import Month, months_between
from taxi_assets.definitions import build_definitions
from taxi_assets.failures import FailureFacts, facts_of
from taxi_assets.lake.local import LocalStore
from taxi_assets.settings import Settings

FOUR = ("raw_trips", "clean_trips", "lake_trips", "warehouse_trips")

Rows = list[tuple[Any, ...]]


def month_assets(dataset: str) -> str:
    """The selection of the dataset's four assets, without ``stored_rows``."""
    return f"+key:{dataset}/warehouse_trips"


class Platform:
    """An embedded lake and warehouse below ``home``, with TLC at ``tlc_url``.

    ``more`` are a user's own assets beside the platform's, ``env`` further settings.
    """

    def __init__(
        self,
        home: Path,
        tlc_url: str,
        *,
        more: Sequence[dg.AssetsDefinition] = (),
        **env: str,
    ) -> None:
        self.settings = Settings.from_env({"TAXI_HOME": str(home), "TAXI_TLC_URL": tlc_url, **env})
        own = build_definitions(self.settings)
        self.definitions = dg.Definitions.merge(own, dg.Definitions(assets=more)) if more else own
        self.instance = dg.DagsterInstance.ephemeral()
        self.store = LocalStore(home / "lake")
        self.warehouse = home / "warehouse.duckdb"

    def run(
        self,
        select: str,
        first: str | None = None,
        last: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        attempts: int = 3,
    ) -> dg.JobExecutionResult:
        """Materialize a selection in one run: for a month, or assets without partitions.

        A range, ``first`` to ``last``, is for users' assets with a single-run backfill policy. As
        in a dataset's job, a run with a month evaluates the partitioned checks only.

        ``config`` is by asset key, such as ``{"green/clean_trips": {…}}``; ``attempts`` are the
        source's for one file.
        """
        graph = self.definitions.resolve_asset_graph()
        keys = dg.AssetSelection.from_string(select).resolve(graph) & graph.executable_asset_keys
        checks = {
            key
            for key in graph.asset_check_keys
            if key.asset_key in keys and (first is None or graph.get(key).partitions_def)
        }
        return self._execute(keys, checks, _partition_tags(first, last), config or {}, attempts)

    def check(self, asset: str, name: str, month: str | None = None) -> dg.JobExecutionResult:
        """Evaluate one check of a stored month without materializing anything."""
        key = dg.AssetCheckKey(dg.AssetKey(asset.split("/")), name)
        return self._execute(set(), {key}, _partition_tags(month, None), {}, 1)

    def month(self, dataset: str, first: str, last: str | None = None) -> dg.JobExecutionResult:
        """Materialize one or several months, each in its own run; all must succeed.

        Returns the result of the last run.
        """
        for month in months_between(Month.parse(first), Month.parse(last or first)):
            result = self.run(month_assets(dataset), str(month))
            assert result.success, failures(result)
        return result

    def _execute(
        self,
        keys: AbstractSet[dg.AssetKey],
        checks: AbstractSet[dg.AssetCheckKey],
        tags: Mapping[str, str],
        config: Mapping[str, Any],
        attempts: int,
    ) -> dg.JobExecutionResult:
        job = self.definitions.resolve_implicit_global_asset_job_def()
        subset = job.get_subset(asset_selection=keys, asset_check_selection=checks)
        ops = {key.replace("/", "__"): {"config": value} for key, value in config.items()}
        source = {
            "url": self.settings.tlc_url,
            "file_format": self.settings.source_format.value,
            "attempts": attempts,
            "backoff_seconds": 0.001,
        }
        run = self.instance.create_run_for_job(
            subset,
            tags=tags,
            run_config={
                "ops": ops,
                "resources": {"tlc": {"config": source}} if keys else {},
                "loggers": {"console": {"config": {"log_level": "ERROR"}}},
            },
        )
        return execute_run(InMemoryJob(subset), run, self.instance)

    def load(self, path: list[str], form: type, month: str | None = None, **metadata: Any) -> Any:
        """Load an asset as a type, as a notebook does."""
        with self.definitions.get_asset_value_loader(self.instance) as loader:
            return loader.load_asset_value(
                path, python_type=form, partition_key=month, input_definition_metadata=metadata
            )

    def scratch_files(self) -> list[Path]:
        """Files that runs have left in scratch, without its lock."""
        found = self.settings.scratch.rglob("*")
        return [path for path in found if path.is_file() and path.name != ".lock"]

    def materialized(self, key: str) -> set[str]:
        """The months of an asset that the UI shows as materialized."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey(key.split("/"))))

    def metadata(self, key: str, month: str | None = None) -> dict[str, Any]:
        """The metadata values of the latest materialization."""
        return self.materialization(key, month)[1]

    def version(self, key: str, month: str | None = None) -> str:
        """The data version of the latest materialization."""
        return self.materialization(key, month)[0][DATA_VERSION_TAG]

    def materialization(
        self, key: str, month: str | None = None
    ) -> tuple[Mapping[str, str], dict[str, Any]]:
        """Tags and metadata values of the latest materialization."""
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(key.split("/")),
                asset_partitions=[month] if month else None,
            ),
            limit=1,
        ).records
        assert records, f"{key} {month} has not been materialized"
        event = records[0].asset_materialization
        assert event is not None
        return event.tags or {}, {name: value.value for name, value in event.metadata.items()}

    def query(self, sql: str, *values: object) -> Rows:
        """Query the warehouse's file directly with DuckDB."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(sql, values).fetchall()

    def counts(self, dataset: str = "green") -> dict[str, int]:
        """Trips and rejects in the warehouse's file, by month."""
        return dict(
            self.query(
                f"""SELECT strftime(source_month, '%Y-%m'), count(*) FROM (
                    SELECT source_month FROM {dataset}_trips
                    UNION ALL SELECT source_month FROM {dataset}_rejects
                ) GROUP BY 1"""
            )
        )

    def check_status(self, asset: str, name: str) -> dict[str, str]:
        """A check's status by month, as on the Checks tab: ``SUCCEEDED``, ``FAILED`` or ``PLANNED``
        (a run started and did not reach it).
        """
        key = dg.AssetCheckKey(dg.AssetKey(asset.split("/")), name)
        found = self.instance.event_log_storage.get_asset_check_partition_info([key])
        return {str(each.partition_key): each.latest_execution_status.value for each in found}

    def everything_stored(self) -> dict[str, tuple[str, str]]:
        """Version and checksum of every object in the lake."""
        found = {key: self.store.find(key) for key in self.store.keys("")}
        return {key: (each.version, each.sha256) for key, each in found.items() if each}


def failures(result: dg.JobExecutionResult) -> str:
    """The messages of the run's failed steps."""
    parts = []
    for event in _step_failures(result):
        data = event.step_failure_data
        failure = data.user_failure_data
        parts.append(
            (failure.description or "") if failure else str(data.error and data.error.message)
        )
    return "\n".join(parts)


def failed_steps(result: dg.JobExecutionResult) -> list[str]:
    """The keys of the steps that failed, in order."""
    return [str(event.step_key) for event in _step_failures(result)]


def facts(result: dg.JobExecutionResult) -> FailureFacts:
    """The facts of the run's only failed step."""
    (event,) = _step_failures(result)
    found = facts_of(event)
    assert found, event.step_failure_data
    return found


def retried(result: dg.JobExecutionResult) -> list[str]:
    """The keys of the retried steps, once per retry."""
    again = dg.DagsterEventType.STEP_UP_FOR_RETRY
    return [str(event.step_key) for event in result.all_events if event.event_type is again]


def check_results(result: dg.JobExecutionResult) -> dict[tuple[str, str], bool]:
    """Whether the run's checks passed, by asset and name."""
    return {
        (each.asset_key.to_user_string(), each.check_name): each.passed
        for each in result.get_asset_check_evaluations()
    }


def _step_failures(result: dg.JobExecutionResult) -> list[dg.DagsterEvent]:
    return [event for event in result.all_events if event.is_step_failure]


def _partition_tags(first: str | None, last: str | None) -> dict[str, str]:
    if first is None:
        return {}
    if last is None:
        return {PARTITION_TAG: first}
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }
