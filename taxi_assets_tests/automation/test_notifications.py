"""People are told of failures, failed checks, recoveries and new months, each once."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
import pytest

from taxi_assets.automation.channels import Channel
from taxi_assets.automation.messages import Message
from taxi_assets.automation.notifications import failure_sensor, landing_sensor
from taxi_assets.automation.watch import watch_job
from taxi_assets.datasets import DATASETS, Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.assets.platform import Platform
from taxi_assets_tests.automation.looking import look

UI = "https://dagster.example.org"


class Notebook:
    """A channel that keeps what it is told, or refuses it."""

    def __init__(self, name: str = "notebook") -> None:
        self.name = name
        self.messages: list[Message] = []
        self.broken = False

    def send(self, message: Message) -> None:
        if self.broken:
            raise ConnectionError("https://secret.example.org is down")
        self.messages.append(message)

    def take(self) -> list[Message]:
        """What was told since the last call."""
        taken, self.messages = self.messages, []
        return taken


class Teller:
    """Both sensors over one platform, with their cursors."""

    def __init__(self, platform: Platform, channels: Sequence[Channel]) -> None:
        self.platform = platform
        self.sensors = [
            failure_sensor(channels, ui_url=UI, seconds=30),
            landing_sensor(DATASETS.values(), channels, ui_url=UI, seconds=30),
        ]
        self.cursors: list[str | None] = [None, None]
        self.look()

    def look(self) -> list[str]:
        """Let both look once; returns their skip reasons."""
        said = []
        for index, sensor in enumerate(self.sensors):
            platform = self.platform
            data = look(sensor, platform.instance, platform.definitions, self.cursors[index])
            self.cursors[index] = data.cursor
            said.append(str(data.skip_message))
        return said


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def teller(platform: Platform, notebook: Notebook) -> Teller:
    return Teller(platform, [notebook])


def rows(platform: Platform, table: str, month: str) -> int:
    [[count]] = platform.query(
        f"SELECT count(*) FROM {table} WHERE source_month = ?::DATE", f"{month}-01"
    )
    return int(count)


def test_a_new_month_is_told_with_its_rows_and_a_link(
    platform: Platform, tlc: Simulator, teller: Teller, notebook: Notebook
) -> None:
    tlc.publish("green", Month(2024, 1), rows=1500)
    run = platform.month("green", "2024-01")
    teller.look()
    kept = rows(platform, "green_trips", "2024-01")
    rejected = rows(platform, "green_rejects", "2024-01")
    assert notebook.take() == [
        Message(
            "green 2024-01 landed",
            f"2024-01: {kept:,} rows in green_trips, {rejected} rejects.",
            f"{UI}/runs/{run.dagster_run.run_id}",
        )
    ]
    teller.look()
    assert notebook.take() == []


def test_a_failure_and_the_recovery_from_it_are_told(
    platform: Platform, tlc: Simulator, teller: Teller, notebook: Notebook
) -> None:
    failed = platform.run("group:green", "2024-01")
    teller.look()
    assert notebook.take() == [
        Message(
            "green 2024-01 failed",
            "green/raw_trips 2024-01 failed: green 2024-01 is not published: "
            f"{tlc.url}/trip-data/green_tripdata_2024-01.parquet answered 403 Forbidden. TLC "
            "publishes a month 47 to 62 days after it ends; wait for it, or check the dataset's "
            "first month. If TLC's page does list it, TLC refuses this client: it answers 403 for "
            "both.",
            f"{UI}/runs/{failed.dagster_run.run_id}",
        )
    ]
    tlc.publish("green", Month(2024, 1), rows=300)
    platform.month("green", "2024-01")
    teller.look()
    [told] = notebook.take()
    assert told.title == "green 2024-01 recovered and landed"


def test_a_failed_blocking_check_is_named(
    platform: Platform, tlc: Simulator, teller: Teller, notebook: Notebook
) -> None:
    tlc.publish("green", Month(2024, 1), rows=1500)
    platform.run("group:green", "2024-01", config={"green/clean_trips": {"max_reject_share": 0.0}})
    teller.look()
    [told] = notebook.take()
    assert told.title == "green 2024-01 stopped by the check reject_share"
    assert told.body.startswith("green/clean_trips 2024-01 failed: reject_share: ")
    assert "0.000% are allowed" in told.body
    assert "\n" not in told.body, "what failed for its sake is not told"


def test_of_a_batch_the_failed_and_the_landed_months_are_told_apart(
    platform: Platform, tlc: Simulator, teller: Teller, notebook: Notebook
) -> None:
    for month in (1, 2, 4, 5):
        tlc.publish("green", Month(2024, month), rows=300)
    platform.run("group:green", "2024-01", "2024-05")
    teller.look()
    failed, landed = notebook.take()
    assert failed.title == "green 2024-03 failed"
    assert failed.body.startswith("green/raw_trips 2024-03 failed: ")
    assert "\n" not in failed.body, "the steps after it fail for its sake"
    assert landed.title == "green 2024-01, 2024-02, 2024-04, 2024-05 landed"
    assert landed.body.count("\n") == 3


def test_a_neighbour_of_a_failed_month_does_not_recover_when_it_lands_again(
    platform: Platform, tlc: Simulator, teller: Teller, notebook: Notebook
) -> None:
    tlc.publish("green", Month(2024, 1), rows=300)
    platform.run("group:green", "2024-01", "2024-02")
    teller.look()
    notebook.take()
    tlc.publish("green", Month(2024, 2), rows=300)
    platform.run("group:green", "2024-01", "2024-02")
    teller.look()
    assert [told.title for told in notebook.take()] == ["green 2024-02 recovered and landed"]


def test_a_run_that_dagster_will_retry_is_no_news_yet(
    platform: Platform, tlc: Simulator, teller: Teller, notebook: Notebook
) -> None:
    failed = platform.run("group:green", "2024-01")
    platform.instance.add_run_tags(failed.dagster_run.run_id, {"dagster/will_retry": "true"})
    teller.look()
    assert notebook.take() == []
    tlc.publish("green", Month(2024, 1), rows=300)
    platform.month("green", "2024-01")
    teller.look()
    assert [told.title for told in notebook.take()] == ["green 2024-01 landed"]


def test_what_happened_before_the_sensors_began_is_not_told(
    platform: Platform, tlc: Simulator, notebook: Notebook
) -> None:
    tlc.publish("green", Month(2024, 1), rows=300)
    platform.month("green", "2024-01")
    Teller(platform, [notebook]).look()
    assert notebook.take() == []


def test_a_broken_channel_does_not_silence_the_others(
    platform: Platform, tlc: Simulator, notebook: Notebook
) -> None:
    broken = Notebook("broken")
    broken.broken = True
    teller = Teller(platform, [broken, notebook])
    tlc.publish("green", Month(2024, 1), rows=300)
    platform.month("green", "2024-01")
    [_, said] = teller.look()
    assert said == "'green 2024-01 landed' did not reach broken (ConnectionError)."
    assert len(notebook.take()) == 1
    teller.look()
    assert notebook.take() == [], "nobody is told twice"


def test_a_failure_outside_the_assets_is_told_in_its_own_words(
    platform: Platform, teller: Teller, notebook: Notebook
) -> None:
    @dg.op
    def slip() -> None:
        raise ValueError("a banana skin")

    @dg.job
    def walk() -> None:
        slip()

    walk.execute_in_process(instance=platform.instance, raise_on_error=False)
    teller.look()
    [told] = notebook.take()
    assert (told.title, told.body) == ("walk failed", "ValueError: a banana skin")


def test_months_left_behind_are_told_by_name(
    platform: Platform, tlc: Simulator, teller: Teller, notebook: Notebook
) -> None:
    run = platform.run("group:green", "2024-01").dagster_run
    teller.look()
    notebook.take()
    watch = watch_job([DATASETS["green"]], lag_months=2)
    watch.execute_in_process(instance=platform.instance, raise_on_error=False)
    teller.look()
    [told] = notebook.take()
    assert told.title == "month_watch failed"
    assert told.body == (
        f"green 2024-01: its latest run, {run.run_id[:8]}, failed.\n"
        "Re-execute what failed; materialise what is missing with green_months."
    )
