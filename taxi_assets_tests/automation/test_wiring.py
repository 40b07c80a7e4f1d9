"""What there is, and what runs on its own, for the settings in force."""

from __future__ import annotations

import dagster as dg
import pytest

from taxi_assets.automation.jobs import MONTH_ASSETS
from taxi_assets.datasets import DATASETS
from taxi_assets.definitions import build_definitions
from taxi_assets.settings import Settings

LOOKING = {f"{name}_{what}" for name in DATASETS for what in ("published", "reissued")}
TELLING = {"tell_failures", "tell_landings"}
TEAMS = {"TAXI_TEAMS_WEBHOOK": "https://example.org/hook"}


def built(**env: str) -> dg.RepositoryDefinition:
    return build_definitions(
        Settings.from_env({"TAXI_HOME": "/nowhere"} | env)
    ).get_repository_def()


def statuses(repository: dg.RepositoryDefinition) -> dict[str, str]:
    sensors = {each.name: each.default_status.value for each in repository.sensor_defs}
    return sensors | {each.name: each.default_status.value for each in repository.schedule_defs}


def test_on_a_laptop_nothing_runs_on_its_own() -> None:
    found = statuses(built())
    assert found.keys() == LOOKING | {"month_watch_daily"} | {f"{n}_monthly" for n in DATASETS}
    assert set(found.values()) == {"STOPPED"}


def test_in_production_everything_does() -> None:
    assert set(statuses(built(TAXI_ENV="production", **TEAMS)).values()) == {"RUNNING"}


def test_a_channel_that_is_set_is_on_even_on_a_laptop() -> None:
    found = statuses(built(**TEAMS))
    assert {name for name, status in found.items() if status == "RUNNING"} == TELLING


@pytest.mark.parametrize(("seconds", "telling"), [("3600", 30), ("2", 2)])
def test_the_sensors_look_as_often_as_set(seconds: str, telling: int) -> None:
    sensors = {s.name: s for s in built(TAXI_SENSOR_SECONDS=seconds, **TEAMS).sensor_defs}
    assert {sensors[name].minimum_interval_seconds for name in LOOKING} == {int(seconds)}
    assert {sensors[name].minimum_interval_seconds for name in TELLING} == {telling}
    assert sensors["month_watch_daily"].minimum_interval_seconds == 86_400


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_datasets_job_makes_its_four_assets_by_the_month(dataset: str) -> None:
    job = built().get_job(f"{dataset}_months")
    made = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert made == {f"{dataset}/{name}" for name in MONTH_ASSETS}
    assert job.partitions_def is not None
    assert job.partitions_def.get_first_partition_key() == str(DATASETS[dataset].first_month)


def test_the_zones_have_a_job_of_their_own() -> None:
    made = built().get_job("zones").asset_layer.executable_asset_keys
    assert {key.to_user_string() for key in made} == {"lake_zones", "taxi_zones"}
