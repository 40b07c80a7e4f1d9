"""Which jobs, schedules and sensors exist, and which run automatically, by settings."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from taxi_assets.automation.factory import build_automation
from taxi_assets.datasets import DATASETS, Month
from taxi_assets.settings import Settings
from taxi_assets_tests.automation.standins import stand_ins
from taxi_assets_tests.automation.ticks import Records

POLLING = {f"{name}_published" for name in DATASETS}
ZONES = "zones_published"
SCHEDULES = {f"{name}_monthly" for name in (*DATASETS, "zones")} | {"overdue_months_daily"}
NOTIFYING = {"notify_failures", "notify_loaded_months", "notify_overdue_months"}
TEAMS = {"TAXI_TEAMS_WEBHOOK": "https://example.org/hook"}
MONTH = Month(2024, 1)


def built(**env: str) -> dg.RepositoryDefinition:
    return stand_ins(Settings.from_env({"TAXI_HOME": "/nowhere"} | env)).get_repository_def()


def statuses(repository: dg.RepositoryDefinition) -> dict[str, str]:
    sensors = {each.name: each.default_status.value for each in repository.sensor_defs}
    return sensors | {each.name: each.default_status.value for each in repository.schedule_defs}


def test_on_a_laptop_nothing_runs_automatically() -> None:
    found = statuses(built())
    assert found.keys() == POLLING | {ZONES} | SCHEDULES
    assert set(found.values()) == {"STOPPED"}


def test_in_production_everything_runs_automatically() -> None:
    found = statuses(built(TAXI_ENV="production", **TEAMS))
    assert found.keys() == POLLING | {ZONES} | SCHEDULES | NOTIFYING
    assert set(found.values()) == {"RUNNING"}


def test_notifications_are_on_with_a_channel_even_on_a_laptop() -> None:
    found = statuses(built(**TEAMS))
    assert {name for name, status in found.items() if status == "RUNNING"} == NOTIFYING


@pytest.mark.parametrize(("seconds", "notifying"), [("3600", 30), ("2", 2)])
def test_the_sensors_poll_at_the_configured_interval(seconds: str, notifying: int) -> None:
    sensors = {s.name: s for s in built(TAXI_SENSOR_SECONDS=seconds, **TEAMS).sensor_defs}
    assert {sensors[name].minimum_interval_seconds for name in POLLING} == {int(seconds)}
    assert {sensors[name].minimum_interval_seconds for name in NOTIFYING} == {notifying}
    assert sensors[ZONES].minimum_interval_seconds == 24 * 3600


@pytest.mark.parametrize(
    ("job", "month", "assets", "checks"),
    [
        (
            "green_months",
            MONTH,
            {"raw_trips", "clean_trips", "lake_trips", "warehouse_trips"},
            {
                "raw_trips published_rows",
                "clean_trips reconciled",
                "clean_trips reject_share",
                "clean_trips pickup_present",
                "warehouse_trips reconciled",
            },
        ),
        (
            "green_verify",
            MONTH,
            {"stored_rows"},
            {"raw_trips published_rows", "warehouse_trips reconciled"},
        ),
        (
            "overdue_months",
            None,
            set(),
            {"warehouse_trips overdue_months", "taxi_zones loaded_zones"},
        ),
        ("zones", None, {"lake_zones", "taxi_zones"}, {"taxi_zones loaded_zones"}),
    ],
)
def test_a_job_runs_its_assets_and_checks_and_no_others(
    records: Records, job: str, month: Month | None, assets: set[str], checks: set[str]
) -> None:
    result = records.run(month, job=job)
    assert result.success
    made = [event.asset_key for event in result.get_asset_materialization_events()]
    found = result.get_asset_check_evaluations()
    assert {key.path[-1] for key in made if key} == assets
    assert {f"{each.asset_key.path[-1]} {each.check_name}" for each in found} == checks
    assert {each.partition for each in found} <= {str(month) if month else None}
    datasets = set(DATASETS) if job == "overdue_months" else {"green"} if month else set()
    assert {each.asset_key.path[0] for each in found} - {"taxi_zones"} == datasets


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("job", ["months", "verify"])
def test_a_datasets_jobs_have_its_partitions_and_tag_their_runs_with_it(
    records: Records, dataset: str, job: str
) -> None:
    found = records.definitions.resolve_job_def(f"{dataset}_{job}")
    assert found.partitions_def is not None
    assert found.partitions_def.get_first_partition_key() == str(DATASETS[dataset].first_month)
    assert found.tags["taxi/dataset"] == dataset
    assert "dagster-k8s/config" not in found.tags


def test_in_production_the_pods_of_small_datasets_are_small() -> None:
    automation = build_automation(Settings.from_env({"TAXI_ENV": "production"}))
    jobs = {job.name: job for job in automation.jobs or ()}
    for name, spec in DATASETS.items():
        for job in (f"{name}_months", f"{name}_verify"):
            tags: Any = getattr(jobs[job], "tags", None)
            assert ("dagster-k8s/config" in tags) is not spec.memory_heavy
