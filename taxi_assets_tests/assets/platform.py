"""The real definitions on a folder of their own: what the tests of the assets hold.

Belongs here: running assets as Dagster's run worker does, and asking what came of it. Does not:
any expectation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.execution.job_execution_result import JobExecutionResult

from taxi_assets.definitions import build_definitions
from taxi_assets.lake.local import LocalStore
from taxi_assets.settings import Settings

FOUR = ("raw_trips", "clean_trips", "lake_trips", "warehouse_trips")

Rows = list[tuple[Any, ...]]


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
    ) -> JobExecutionResult:
        """Materialise a selection for one month, a range of months or unpartitioned assets.

        ``config`` is by asset key, such as ``{"green/clean_trips": {…}}``; ``attempts`` are the
        source's for one file. The run's own executor is in force, in this process.
        """
        job = self.definitions.resolve_implicit_global_asset_job_def()
        graph = self.definitions.resolve_asset_graph()
        keys = dg.AssetSelection.from_string(select).resolve(graph) & graph.executable_asset_keys
        subset = job.get_subset(asset_selection=keys)
        ops = {key.replace("/", "__"): {"config": value} for key, value in (config or {}).items()}
        source = {"url": self.settings.tlc_url, "attempts": attempts, "backoff_seconds": 0.001}
        run = self.instance.create_run_for_job(
            subset,
            tags=_partition_tags(first, last),
            run_config={
                "ops": ops,
                "resources": {"tlc": {"config": source}},
                "loggers": {"console": {"config": {"log_level": "ERROR"}}},
            },
            asset_selection=frozenset(keys),
        )
        return execute_run(InMemoryJob(subset), run, self.instance)

    def month(self, dataset: str, first: str, last: str | None = None) -> JobExecutionResult:
        """Materialise a month, or a range, all the way; it must succeed."""
        result = self.run(f"key:{dataset}/*", first, last)
        assert result.success, failures(result)
        return result

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

    def everything_stored(self) -> dict[str, tuple[str, str]]:
        """Version and checksum of every object in the lake."""
        found = {key: self.store.find(key) for key in self.store.keys("")}
        return {key: (each.version, each.sha256) for key, each in found.items() if each}


def failures(result: JobExecutionResult) -> str:
    """What a person reads of the run's failed steps."""
    parts = []
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            failure = data.user_failure_data
            parts.append(
                (failure.description or "") if failure else str(data.error and data.error.message)
            )
    return "\n".join(parts)


def failed_steps(result: JobExecutionResult) -> list[str]:
    """The keys of the steps that failed, in order."""
    return [str(event.step_key) for event in result.all_events if event.is_step_failure]


def _partition_tags(first: str | None, last: str | None) -> dict[str, str]:
    if first is None:
        return {}
    if last is None:
        return {"dagster/partition": first}
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }
