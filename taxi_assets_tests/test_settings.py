"""Settings are read, validated and documented."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from taxi_assets.errors import Misconfigured
from taxi_assets.settings import SETTINGS, Settings, render_document

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == render_document(), (
        "docs/settings.md is stale; write it again:"
        " python -m taxi_assets.settings > docs/settings.md"
    )


def test_the_page_is_what_the_command_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "taxi_assets.settings"], capture_output=True, check=True
    )
    assert done.stdout.decode("utf-8") == render_document()


def test_every_setting_is_on_the_page() -> None:
    assert all(f"| `{setting.name}` |" in render_document() for setting in SETTINGS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TAXI_ENV", "staging"),
        ("TAXI_SENSOR_SECONDS", "0"),
        ("TAXI_SENSOR_SECONDS", "hourly"),
        ("TAXI_SCHEDULE_LAG_MONTHS", "-1"),
    ],
)
def test_an_invalid_value_is_refused_with_the_settings_name(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"{name} is '{value}'"):
        Settings.from_env({name: value})


def test_an_incomplete_channel_is_refused() -> None:
    with pytest.raises(Misconfigured, match="TAXI_SLACK_TOKEN is set without TAXI_SLACK_CH"):
        Settings.from_env({"TAXI_SLACK_TOKEN": "xoxb-1"})
    with pytest.raises(Misconfigured, match=r"without TAXI_EMAIL_FROM and TAXI_SMTP_URL\."):
        Settings.from_env({"TAXI_EMAIL_TO": "a@example.org"})


def test_secrets_are_not_printed() -> None:
    secrets = {
        "TAXI_SLACK_TOKEN": "xoxb-hush",
        "TAXI_SLACK_CHANNEL": "#taxi",
        "TAXI_TEAMS_WEBHOOK": "https://example.org/hush",
        "TAXI_EMAIL_TO": "a@example.org, b@example.org",
        "TAXI_EMAIL_FROM": "taxi@example.org",
        "TAXI_SMTP_URL": "smtps://me:hush@mail.example.org",
    }
    settings = Settings.from_env(secrets)
    assert settings.notify.email_to == ("a@example.org", "b@example.org")
    assert "hush" not in repr(settings)
