"""Every channel delivers a message to a real server and does not reveal its secrets."""

from __future__ import annotations

import logging
import sys

import pytest

from taxi_assets.automation.channels import (
    Channel,
    Email,
    NotSent,
    Slack,
    Teams,
    notify,
    open_channels,
)
from taxi_assets.automation.messages import Message
from taxi_assets.errors import Misconfigured
from taxi_assets.settings import Notify
from taxi_assets_tests.automation.sinks import HttpSink, SmtpSink

MESSAGE = Message(
    "green 2024-03 failed", "green/raw_trips 2024-03 failed: <a> & b.", "http://ui/runs/1"
)


def test_slack_gets_the_text_in_the_channel_with_the_token(http: HttpSink) -> None:
    Slack("xoxb-1", "#taxi", f"{http.url}/api/").send(MESSAGE)
    [post] = http.posts
    assert post.path == "/api/chat.postMessage"
    assert post.headers["Authorization"] == "Bearer xoxb-1"
    assert post.body["channel"] == "#taxi"
    assert post.body["text"] == (
        "green 2024-03 failed\ngreen/raw_trips 2024-03 failed: &lt;a&gt; &amp; b.\nhttp://ui/runs/1"
    )


def test_teams_gets_the_text_as_a_card(http: HttpSink) -> None:
    Teams(f"{http.url}/webhook/secret").send(MESSAGE)
    [post] = http.posts
    assert post.path == "/webhook/secret"
    assert post.body == {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "type": "AdaptiveCard",
                    "version": "1.5",
                    "body": [
                        {
                            "type": "TextBlock",
                            "text": "green 2024-03 failed\n\n"
                            "green/raw_trips 2024-03 failed: <a> & b.\n\n"
                            "http://ui/runs/1",
                            "wrap": True,
                        }
                    ],
                },
            }
        ],
    }


def test_mail_is_sent_to_every_address(smtp: SmtpSink) -> None:
    Email(smtp.url, "taxi@example.org", ("a@example.org", "b@example.org")).send(MESSAGE)
    [mail] = smtp.mails
    assert (mail.sender, mail.to) == ("taxi@example.org", ["a@example.org", "b@example.org"])
    assert mail.message["Subject"] == "green 2024-03 failed"
    assert mail.message["From"] == "taxi@example.org"
    assert mail.message["To"] == "a@example.org, b@example.org"
    assert mail.message.get_content() == (
        "green/raw_trips 2024-03 failed: <a> & b.\n\nhttp://ui/runs/1\n"
    )


def test_a_password_is_never_sent_in_clear_text(smtp: SmtpSink) -> None:
    url = smtp.url.replace("//", "//me:hush@")
    with pytest.raises(NotSent, match="SMTPNotSupportedError"):
        notify([Email(url, "taxi@example.org", ("a@example.org",))], MESSAGE)
    assert not any("hush" in line or "AUTH" in line for line in smtp.commands)
    assert smtp.mails == []


def test_an_error_names_the_channel_and_slacks_code(http: HttpSink) -> None:
    http.answer = (200, b'{"ok": false, "error": "channel_not_found"}')
    with pytest.raises(NotSent) as caught:
        notify([Slack("xoxb-1", "#taxi", f"{http.url}/api/")], MESSAGE)
    assert str(caught.value) == (
        "'green 2024-03 failed' was not delivered to Slack (SlackApiError: channel_not_found)."
    )


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("slack", "Slack (SlackApiError: Received a response in a non-JSON format: no)"),
        ("teams", "Microsoft Teams (ConnectionError)"),
        ("mail", "e-mail (SMTPNotSupportedError)"),
    ],
)
def test_no_error_and_no_log_line_holds_a_secret(
    kind: str, error: str, http: HttpSink, smtp: SmtpSink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    http.answer = (500, b"no")
    channels: dict[str, Channel] = {
        "slack": Slack("hush", "#taxi", f"{http.url}/api/"),
        "teams": Teams("http://127.0.0.1:9/hush"),
        "mail": Email(smtp.url.replace("//", "//me:hush@"), "a@example.org", ("b@example.org",)),
    }
    with pytest.raises(NotSent) as caught:
        notify([channels[kind]], MESSAGE)
    assert str(caught.value) == f"'green 2024-03 failed' was not delivered to {error}."
    assert "hush" not in repr(channels[kind])
    assert "hush" not in "".join(
        record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG
    )


def test_the_configured_channels_are_opened() -> None:
    assert open_channels(Notify("http://ui")) == []
    notify = Notify(
        "http://ui",
        slack_token="xoxb-1",
        slack_channel="#taxi",
        teams_webhook="https://example.org/hook",
        email_to=("a@example.org",),
        email_from="taxi@example.org",
        smtp_url="smtps://mail.example.org",
    )
    assert [each.name for each in open_channels(notify)] == ["Slack", "Microsoft Teams", "e-mail"]


@pytest.mark.parametrize(
    ("extra", "notify"),
    [
        ("slack", Notify("", slack_token="xoxb-1", slack_channel="#taxi")),
        ("msteams", Notify("", teams_webhook="https://example.org/hook")),
    ],
)
def test_a_missing_extra_is_named(
    extra: str, notify: Notify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"dagster_{extra}", None)
    with pytest.raises(Misconfigured, match=rf"pip install 'taxi-assets\[{extra}\]'"):
        open_channels(notify)
