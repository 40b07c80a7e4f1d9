"""The real definitions on a folder of their own: what the tests of the assets hold.

Runs are executed as Dagster's run worker does, in this process. Nothing here expects anything;
add what several modules of tests ask of a run or of what it left.
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


def way(dataset: str) -> str:
    """The selection of the dataset's four assets, without what counts them afterwards."""
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
        """Materialise a selection in one run: for a month, or assets without partitions.

        A range, ``first`` to ``last``, is for a user's assets whose backfill policy is a single
        run. As in a dataset's job, a run of months evaluates the checks that have months.

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
        """Evaluate one check of what is stored, materialising nothing."""
        key = dg.AssetCheckKey(dg.AssetKey(asset.split("/")), name)
        return self._execute(set(), {key}, _partition_tags(month, None), {}, 1)

    def month(self, dataset: str, first: str, last: str | None = None) -> dg.JobExecutionResult:
        """Materialise a month, or each of several in a run of its own; all must succeed.

        What is returned is of the last one.
        """
        for month in months_between(Month.parse(first), Month.parse(last or first)):
            result = self.run(way(dataset), str(month))
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
        source = {"url": self.settings.tlc_url, "attempts": attempts, "backoff_seconds": 0.001}
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
        """An asset in a form, as a notebook asks for it."""
        with self.definitions.get_asset_value_loader(self.instance) as loader:
            return loader.load_asset_value(
                path, python_type=form, partition_key=month, input_definition_metadata=metadata
            )

    def waiting(self) -> list[Path]:
        """Files that runs have left on local disk."""
        return [path for path in self.settings.scratch.rglob("*") if path.is_file()]

    def made(self, key: str) -> set[str]:
        """The months of an asset that the UI shows as materialised."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey(key.split("/"))))

    def metadata(self, key: str, month: str | None = None) -> dict[str, Any]:
        """What the latest materialisation says of itself."""
        return self.materialization(key, month)[1]

    def version(self, key: str, month: str) -> str:
        """The data version of the latest materialisation."""
        return self.materialization(key, month)[0][DATA_VERSION_TAG]

    def materialization(
        self, key: str, month: str | None = None
    ) -> tuple[Mapping[str, str], dict[str, Any]]:
        """Tags and metadata values of the latest materialisation."""
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(key.split("/")),
                asset_partitions=[month] if month else None,
            ),
            limit=1,
        ).records
        assert records, f"{key} {month} has not been materialised"
        event = records[0].asset_materialization
        assert event is not None
        return event.tags or {}, {name: value.value for name, value in event.metadata.items()}

    def query(self, sql: str, *values: object) -> Rows:
        """Ask the warehouse's file, as a person with the duckdb command would."""
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

    def checked(self, asset: str, name: str) -> dict[str, str]:
        """Where a check stands in each month, as the Checks tab has it: ``SUCCEEDED``, ``FAILED``,
        ``PLANNED`` (a run began and never came to it).
        """
        key = dg.AssetCheckKey(dg.AssetKey(asset.split("/")), name)
        found = self.instance.event_log_storage.get_asset_check_partition_info([key])
        return {str(each.partition_key): each.latest_execution_status.value for each in found}

    def everything_stored(self) -> dict[str, tuple[str, str]]:
        """Version and checksum of every object in the lake."""
        found = {key: self.store.find(key) for key in self.store.keys("")}
        return {key: (each.version, each.sha256) for key, each in found.items() if each}


def failures(result: dg.JobExecutionResult) -> str:
    """What a person reads of the run's failed steps."""
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
    """Why the run's one failed step failed."""
    (event,) = _step_failures(result)
    found = facts_of(event)
    assert found, event.step_failure_data
    return found


def retried(result: dg.JobExecutionResult) -> list[str]:
    """The keys of the steps that Dagster tried again, once for each time."""
    again = dg.DagsterEventType.STEP_UP_FOR_RETRY
    return [str(event.step_key) for event in result.all_events if event.event_type is again]


def verdicts(result: dg.JobExecutionResult) -> dict[tuple[str, str], bool]:
    """What the run's checks came to, by asset and name."""
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
