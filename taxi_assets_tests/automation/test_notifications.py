"""Failures, failed checks, recoveries and new months are each notified once."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
import pytest

from taxi_assets.automation.channels import Channel
from taxi_assets.automation.messages import Message
from taxi_assets.automation.notifications import failure_sensor, loaded_sensor, overdue_sensor
from taxi_assets.dagster_names import WILL_RETRY_TAG
from taxi_assets.datasets import DATASETS, Month
from taxi_assets.errors import CorruptDownload, MonthNotPublished
from taxi_assets_tests.automation.garbage import FOREIGN, garbage
from taxi_assets_tests.automation.ticks import Records, tick

UI = "https://dagster.example.org"
MONTH = Month(2024, 1)
RAW = ("green/raw_trips", str(MONTH))
UNPUBLISHED = MonthNotPublished("green 2024-01 is not published: 403.", "Wait for it.")


class Notebook:
    """A channel that keeps the messages it is sent, or fails."""

    def __init__(self, name: str = "notebook") -> None:
        self.name = name
        self.messages: list[Message] = []
        self.broken = False

    def send(self, message: Message) -> None:
        if self.broken:
            raise ConnectionError("https://secret.example.org is down")
        self.messages.append(message)


class Notifier:
    """The sensors and their cursors, after their first tick."""

    def __init__(self, records: Records, channels: Sequence[Channel]) -> None:
        self._records = records
        specs = DATASETS.values()
        self._sensors = [
            failure_sensor(channels, ui_url=UI, seconds=30),
            loaded_sensor(specs, channels, ui_url=UI, seconds=30),
            overdue_sensor(specs, channels, ui_url=UI, seconds=30),
        ]
        self._cursors: list[str | None] = [None, None, None]
        self.tick()

    def forget(self, cursor: str | None) -> None:
        """Every sensor finds ``cursor`` in place of its own."""
        self._cursors = [cursor] * 3

    def tick(self) -> list[str]:
        """A tick of each sensor; returns their skip reasons."""
        reasons = []
        for index, sensor in enumerate(self._sensors):
            data = tick(sensor, self._records, self._cursors[index])
            self._cursors[index] = data.cursor
            reasons.append(str(data.skip_message))
        return reasons


class News:
    """The messages that the sensors send, tick by tick."""

    def __init__(self, records: Records) -> None:
        self._notebook = Notebook()
        self._notifier = Notifier(records, [self._notebook])

    def take(self) -> list[Message]:
        """Tick each sensor once and return the messages."""
        self._notifier.tick()
        taken, self._notebook.messages = self._notebook.messages, []
        return taken

    def forget(self, cursor: str) -> None:
        """Every sensor finds ``cursor`` in place of its own."""
        self._notifier.forget(cursor)

    def titles(self) -> list[str]:
        """The same, titles only."""
        return [message.title for message in self.take()]


@pytest.fixture
def news(records: Records) -> News:
    return News(records)


def test_a_new_month_is_notified_with_its_rows_and_a_link(records: Records, news: News) -> None:
    run = records.run(MONTH).dagster_run
    assert news.take() == [
        Message(
            "green 2024-01 loaded",
            "2024-01: 1,200 rows in green_trips, 1 reject.",
            f"{UI}/runs/{run.run_id}",
        )
    ]
    assert news.take() == []


def test_a_reloaded_month_is_not_notified(records: Records, news: News) -> None:
    records.run(MONTH)
    assert news.titles() == ["green 2024-01 loaded"]
    records.run(MONTH)
    assert news.take() == []


def test_the_months_of_a_backfill_are_one_message(records: Records, news: News) -> None:
    for month in (1, 2, 3, 5):
        records.run(Month(2024, month))
    [message] = news.take()
    assert message.title == "green 2024-01 to 2024-03, 2024-05 loaded"
    assert message.body.count("\n") == 3
    assert message.url == f"{UI}/assets/green/warehouse_trips"


def test_a_failure_and_the_recovery_from_it_are_notified(records: Records, news: News) -> None:
    records.script.errors[RAW] = UNPUBLISHED
    failed = records.run(MONTH)
    assert news.take() == [
        Message(
            "green 2024-01 failed",
            "green/raw_trips: green 2024-01 is not published: 403. Wait for it.",
            f"{UI}/runs/{failed.dagster_run.run_id}",
        )
    ]
    records.script.clear()
    records.run(MONTH)
    assert news.titles() == ["green 2024-01 recovered and loaded"]


def test_the_failure_and_recovery_of_a_reload_are_notified(records: Records, news: News) -> None:
    records.run(MONTH)
    assert news.titles() == ["green 2024-01 loaded"]
    records.script.errors["green/lake_trips", str(MONTH)] = CorruptDownload("It is cut.")
    records.run(MONTH)
    assert news.titles() == ["green 2024-01 failed"]
    records.script.clear()
    records.run(MONTH)
    assert news.titles() == ["green 2024-01 recovered and loaded"]


def test_a_failed_audit_is_named(records: Records, news: News) -> None:
    records.script.checks["reject_share", str(MONTH)] = "5% of the rows are rejected."
    records.run(MONTH)
    [message] = news.take()
    assert message.title == "green 2024-01 stopped by check reject_share"
    assert message.body == (
        "green/clean_trips: reject_share: 5% of the rows are rejected. See the rejects."
    )


def test_a_failed_check_of_a_stored_month_is_named_and_described(
    records: Records, news: News
) -> None:
    records.run(MONTH)
    news.take()
    records.script.checks["warehouse_trips.reconciled", str(MONTH)] = "3 rows are missing."
    records.run(MONTH, job="green_verify")
    [message] = news.take()
    assert message.title == "green 2024-01 stopped by check reconciled"
    assert message.body == "green/warehouse_trips: 3 rows are missing."


def test_a_failed_check_that_does_not_block_is_not_notified(records: Records, news: News) -> None:
    records.script.checks["raw_trips.published_rows", str(MONTH)] = "12 rows more than known."
    records.run(MONTH)
    assert news.titles() == ["green 2024-01 loaded"]
    records.script.errors["green/clean_trips", str(MONTH)] = CorruptDownload("It is cut.")
    records.run(MONTH)
    assert news.titles() == ["green 2024-01 failed"], "because of its error, not the check"


def test_a_run_that_dagster_will_retry_is_not_notified(records: Records, news: News) -> None:
    records.script.errors[RAW] = UNPUBLISHED
    failed = records.run(MONTH)
    records.instance.add_run_tags(failed.dagster_run.run_id, {WILL_RETRY_TAG: "true"})
    assert news.take() == []
    records.script.clear()
    records.run(MONTH)
    assert news.titles() == ["green 2024-01 loaded"]


def test_an_unexpected_error_is_notified_with_its_own_text(records: Records, news: News) -> None:
    records.script.errors[RAW] = ValueError("bad value")
    records.run(MONTH)
    [message] = news.take()
    assert (message.title, message.body) == (
        "green 2024-01 failed",
        "ValueError: bad value",
    )


def test_a_run_that_died_is_notified_with_dagsters_text(records: Records, news: News) -> None:
    run = records.start(MONTH, dg.DagsterRunStatus.NOT_STARTED)
    records.instance.report_run_failed(run, "The run worker was killed.")
    [message] = news.take()
    assert (message.title, message.body) == ("green 2024-01 failed", "The run worker was killed.")


def test_a_failed_job_without_a_month_is_named(records: Records, news: News) -> None:
    run = records.start(None, dg.DagsterRunStatus.NOT_STARTED, job="zones")
    records.instance.report_run_failed(run, "The run worker was killed.")
    assert news.titles() == ["zones failed"]


def test_events_before_the_first_tick_are_not_notified(records: Records) -> None:
    records.run(MONTH)
    assert News(records).take() == []


def test_the_other_channels_are_notified_when_one_fails(records: Records) -> None:
    broken, notebook = Notebook("broken"), Notebook()
    broken.broken = True
    notifier = Notifier(records, [broken, notebook])
    records.run(MONTH)
    [_, reason, _] = notifier.tick()
    assert reason == "'green 2024-01 loaded' was not delivered to broken (ConnectionError)."
    assert len(notebook.messages) == 1
    notifier.tick()
    assert len(notebook.messages) == 1, "no one is notified twice"


def test_overdue_months_are_notified_when_they_differ_from_the_previous_check(
    records: Records, news: News
) -> None:
    def checked(**overdue: str) -> list[Message]:
        records.script.overdue = overdue
        run = records.run(None, job="overdue_months").dagster_run
        messages = news.take()
        assert all(message.url == f"{UI}/runs/{run.run_id}" for message in messages)
        return messages

    assert checked() == []
    [first] = checked(green="2024-04 to 2024-06 are overdue.", fhv="2024-04 is overdue.")
    assert first.title == "fhv, green: months are overdue"
    assert first.body == "fhv: 2024-04 is overdue.\ngreen: 2024-04 to 2024-06 are overdue."
    assert checked(green="2024-04 to 2024-06 are overdue.", fhv="2024-04 is overdue.") == []
    [third] = checked(green="2024-04 to 2024-07 are overdue.")
    assert third.body == "green: 2024-04 to 2024-07 are overdue."
    assert checked() == []
    assert len(checked(green="2024-04 to 2024-07 are overdue.")) == 1
    [zones] = checked(green="2024-04 to 2024-07 are overdue.", taxi_zones="Not refreshed.")
    assert zones.title == "taxi_zones: overdue"


def test_a_cursor_that_is_not_its_own_costs_a_tick_and_repeats_nothing(
    records: Records, news: News
) -> None:
    def happens(month: Month) -> None:
        """Something to notify by each of the three sensors."""
        records.run(month)
        run = records.start(month, dg.DagsterRunStatus.NOT_STARTED)
        records.instance.report_run_failed(run, "The run worker was killed.")
        records.script.overdue = {"green": f"{month} is overdue."}
        records.run(None, job="overdue_months")

    happens(Month(2014, 1))
    assert len(news.take()) == 3
    for cursor in (*FOREIGN, *garbage(0, 50)):
        news.forget(cursor)
        assert news.take() == [], cursor[:200]
        assert news.take() == [], cursor[:200]
    for number, cursor in enumerate(FOREIGN[::9], start=1):
        news.forget(cursor)
        news.take()
        happens(month := Month(2014, 1).plus(number))
        assert news.titles() == [
            f"green {month} failed", f"green {month} loaded", "green: months are overdue",
        ]  # fmt: skip


def test_restored_records_are_notified_after_a_tick(records: Records) -> None:
    for month in range(1, 6):
        records.run(Month(2024, month))
        run = records.start(Month(2024, month), dg.DagsterRunStatus.NOT_STARTED)
        records.instance.report_run_failed(run)
    news = News(records)
    with dg.DagsterInstance.ephemeral() as empty:
        records.instance = empty  # as after deleting the records, with the sensors' cursors kept
        assert news.take() == []
        records.script.errors[RAW] = UNPUBLISHED
        records.run(MONTH)
        records.run(Month(2024, 2))
        assert news.titles() == ["green 2024-01 failed", "green 2024-02 loaded"]


def test_dagsters_own_cursor_is_its_own(records: Records) -> None:
    """A field that a later version adds must not be taken for damage."""
    notebook = Notebook()
    sensor = failure_sensor([notebook], ui_url=UI, seconds=30)
    cursor = tick(sensor, records, None).cursor
    for month in range(1, 4):
        run = records.start(Month(2024, month), dg.DagsterRunStatus.NOT_STARTED)
        records.instance.report_run_failed(run)
        cursor = tick(sensor, records, cursor).cursor
    assert len(notebook.messages) == 3
