"""The platform keeps itself up to date, with real processes and a simulated TLC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets import Month
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.automation.deployment import Deployment, until
from taxi_assets_tests.automation.sinks import HttpSink, SmtpSink
from taxi_assets_tests.automation.ticks import newest

UI = "https://dagster.example.org"
FIRST, SECOND, THIRD = newest(back=2), newest(back=1), newest()


class Watched:
    """A deployment and its servers, with queries for the test."""

    def __init__(self, home: Path, tlc: Simulator, http: HttpSink, smtp: SmtpSink) -> None:
        self.home, self.tlc, self.http, self.smtp = home, tlc, http, smtp
        self.deployment = Deployment(
            home,
            {
                "TAXI_HOME": str(home / "taxi"),
                "TAXI_TLC_URL": tlc.url,
                "TAXI_SENSOR_SECONDS": "2",
                "TAXI_UI_URL": UI,
                "TAXI_TEAMS_WEBHOOK": f"{http.url}/hook",
                "TAXI_EMAIL_TO": "people@example.org",
                "TAXI_EMAIL_FROM": "taxi@example.org",
                "TAXI_SMTP_URL": smtp.url,
            },
        )

    def run_of(self, month: Month, *, but: tuple[str, ...] = ()) -> dict[str, Any]:
        """Wait for a finished run of the month that is not in ``but``."""

        def finished() -> dict[str, Any] | None:
            for run in self.deployment.runs():
                wanted = run["tags"].get("dagster/partition") == str(month)
                if wanted and run["runId"] not in but and run["status"] in ("SUCCESS", "FAILURE"):
                    return run
            return None

        return until(finished, f"finished run of {month}", self.deployment)

    def skipped(self, sensor: str, words: str) -> None:
        """Wait for a tick of the sensor whose skip reason contains ``words``."""

        def has_skipped() -> bool:
            return any(
                words in (tick["skipReason"] or "") for tick in self.deployment.ticks(sensor)
            )

        until(has_skipped, f"tick of {sensor} with {words!r}", self.deployment)

    def rows(self, month: Month) -> int:
        """The month's trips and rejects in the warehouse."""
        counts = [
            f"SELECT count(*) FROM {table} WHERE source_month = DATE '{month}-01'"
            for table in ("green_trips", "green_rejects")
        ]
        with duckdb.connect(str(self.home / "taxi" / "warehouse.duckdb"), read_only=True) as db:
            [total] = db.execute(f"SELECT ({counts[0]}) + ({counts[1]})").fetchone() or [-1]
        return int(total)

    def notified(self, title: str) -> str:
        """Wait for the mail with that subject and return its body; Teams has received the same."""

        def mail() -> str | None:
            for each in self.smtp.mails:
                if each.message["Subject"] == title:
                    return str(each.message.get_content())
            return None

        body = until(mail, f"mail {title!r}", self.deployment)
        card = f"{title}\n{body}".strip().replace("\n\n", "\n").replace("\n", "\n\n")
        posts = [p.body["attachments"][0]["content"]["body"][0]["text"] for p in self.http.posts]
        assert card in posts
        return body


@pytest.fixture
def watched(tmp_path: Path, tlc: Simulator, http: HttpSink, smtp: SmtpSink) -> Iterator[Watched]:
    made = Watched(tmp_path / "deployment", tlc, http, smtp)
    with made.deployment.running():
        yield made


@pytest.mark.long
def test_months_are_published_reissued_blocked_and_loaded_across_a_restart(
    watched: Watched, tlc: Simulator
) -> None:
    first = tlc.publish("green", FIRST, rows=1200)
    deployment = watched.deployment
    with deployment.daemon():
        deployment.start_sensor("green_published")
        loaded = watched.run_of(FIRST)
        assert loaded["status"] == "SUCCESS", deployment.logs()
        assert loaded["tags"]["taxi/dataset"] == "green"
        assert watched.rows(FIRST) == pq.read_metadata(first).num_rows == 1200
        assert watched.notified(f"green {FIRST} loaded").endswith(f"{UI}/runs/{loaded['runId']}\n")

        tlc.faults.block()
        tlc.publish("green", SECOND, rows=900)
        watched.skipped("green_published", "TLC refuses this machine:")
        assert len(deployment.runs()) == 1

    tlc.faults.clear()
    tlc.faults.corrupt(path=f"*{THIRD}*", times=None)
    tlc.publish("green", THIRD, rows=700)
    tlc.publish("green", FIRST, rows=1500, seed=1)
    with deployment.daemon():
        second = watched.run_of(SECOND)
        assert second["status"] == "SUCCESS", deployment.logs()
        again = watched.run_of(FIRST, but=(loaded["runId"],))
        assert again["status"] == "SUCCESS", deployment.logs()
        assert again["tags"]["dagster/run_key"].endswith(f":{loaded['runId']}")
        broken = watched.run_of(THIRD)
        assert broken["status"] == "FAILURE"
        assert len(deployment.runs()) == 4, "no month runs twice"
        assert (watched.rows(FIRST), watched.rows(SECOND)) == (1500, 900)
        versions = [
            version
            for month, version in deployment.observations("tlc", "green")
            if month == str(FIRST)
        ]
        assert len(set(versions)) == 2
        body = watched.notified(f"green {THIRD} failed")
        assert body.startswith("green/raw_trips: ")
        assert body.endswith(f"\n\n{UI}/runs/{broken['runId']}\n")
        watched.notified(f"green {SECOND} loaded")
        watched.skipped("green_published", f"Requested but not loaded: green {THIRD}.")
    assert sorted(str(each.message["Subject"]) for each in watched.smtp.mails) == [
        f"green {FIRST} loaded",
        f"green {SECOND} loaded",
        f"green {THIRD} failed",
    ]
