"""A message is sent to each channel, if that is asked for."""

from __future__ import annotations

import pytest

from taxi_assets.automation import channels
from taxi_assets.probes.notifications import notification_probes
from taxi_assets.settings import Notify
from taxi_assets_tests.automation.sinks import HttpSink, SmtpSink
from taxi_assets_tests.probes.reports import probed


def settings(http: HttpSink, smtp: SmtpSink) -> Notify:
    return Notify(
        "http://ui",
        teams_webhook=f"{http.url}/webhook/hush",
        email_to=("a@example.org",),
        email_from="taxi@example.org",
        smtp_url=smtp.url,
    )


def test_without_being_asked_nothing_is_sent(http: HttpSink, smtp: SmtpSink) -> None:
    report = probed(notification_probes(settings(http, smtp), send=False))
    assert report.skipped.keys() == {"notify: Microsoft Teams", "notify: e-mail"}
    assert report.well
    assert (http.posts, smtp.mails) == ([], [])


def test_each_channel_gets_one_message(http: HttpSink, smtp: SmtpSink) -> None:
    report = probed(notification_probes(settings(http, smtp), send=True))
    assert set(report.verdicts.values()) == {"ok"}
    assert (len(http.posts), len(smtp.mails)) == (1, 1)
    assert smtp.mails[0].message["Subject"] == "A test of taxi_assets"
    assert "http://ui" in str(http.posts[0].body)


def test_a_channel_that_refuses_is_named_without_its_address(
    http: HttpSink, smtp: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    http.answer = (403, b"no")
    monkeypatch.setattr(channels, "_TIMEOUT_SECONDS", 1)
    report = probed(notification_probes(settings(http, smtp), send=True))
    assert report.failed.keys() == {"notify: Microsoft Teams"}
    assert "was not delivered to Microsoft Teams" in str(report.failed)
    assert "hush" not in str(report.failed)
    assert report.verdicts["notify: e-mail"] == "ok"


def test_without_a_channel_there_is_nothing_to_send_to() -> None:
    assert probed(notification_probes(Notify("http://ui"), send=False)).verdicts == {}
    failed = probed(notification_probes(Notify("http://ui"), send=True)).failed
    assert "Set TAXI_SLACK_TOKEN, TAXI_TEAMS_WEBHOOK or TAXI_SMTP_URL" in str(failed)
