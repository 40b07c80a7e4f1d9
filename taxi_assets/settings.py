"""Every setting of the platform, each an environment variable with a default.

Belongs here: names, defaults, meanings, validation. Does not: what is done with a setting.
``python -m taxi_assets.settings`` prints the table, which is ``docs/settings.md``; a test keeps
the two the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from taxi_assets.errors import Misconfigured
from taxi_assets.tlc import DEFAULT_URL

_INTRODUCTION = """\
<!-- Written by `python -m taxi_assets.settings > docs/settings.md`; edit that module. -->
# Settings

Each is an environment variable; an empty one counts as not set.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name, the default as text, and what it does."""

    name: str
    default: str
    meaning: str


HOME = Setting(
    "TAXI_HOME",
    ".taxi",
    "Folder of everything kept on this machine: the embedded lake and warehouse, scratch files, "
    "and (with the make commands) Dagster's own records.",
)
TLC_URL = Setting(
    "TAXI_TLC_URL", DEFAULT_URL, "Where TLC's files are: TLC's own site, a mirror or the simulator."
)
LAKE_URL = Setting(
    "TAXI_LAKE_URL",
    "file://$TAXI_HOME/lake",
    "The lake: file:///folder, gs://bucket/prefix, s3://bucket/prefix or az://container/prefix.",
)
WAREHOUSE_URL = Setting(
    "TAXI_WAREHOUSE_URL",
    "duckdb:///$TAXI_HOME/warehouse.duckdb",
    "The warehouse: duckdb:///file, bigquery://project/dataset?location=US or "
    "postgresql://user@host/database.",
)
SCRATCH = Setting(
    "TAXI_SCRATCH",
    "$TAXI_HOME/scratch",
    "Local disk for files on their way; a month needs about three times its published size.",
)
MEMORY_LIMIT = Setting(
    "TAXI_MEMORY_LIMIT",
    "512MB",
    "DuckDB's own memory while cleaning and loading a month; more than that spills to scratch.",
)
ENV = Setting(
    "TAXI_ENV",
    "laptop",
    "laptop or production: in production the schedules and sensors start on their own.",
)
ROW_COUNTS = Setting(
    "TAXI_ROW_COUNTS",
    "",
    "CSV file with columns dataset, month, rows: published row counts you trust; a month that "
    "differs gets a warning from the check published_rows.",
)
GCP_IMPERSONATE = Setting(
    "TAXI_GCP_IMPERSONATE",
    "",
    "A Google service account to act as, with the credentials at hand: "
    "name@project.iam.gserviceaccount.com.",
)
SENSOR_SECONDS = Setting(
    "TAXI_SENSOR_SECONDS",
    "3600",
    "How many seconds pass between two looks of a sensor at TLC: for new months, and for reissues.",
)
SCHEDULE_LAG_MONTHS = Setting(
    "TAXI_SCHEDULE_LAG_MONTHS",
    "2",
    "How many whole months after its end a month is fetched by the schedules, and missed by the "
    "daily check when it is not there; 1 or more. TLC takes 47 to 62 days.",
)
UI_URL = Setting(
    "TAXI_UI_URL",
    "http://127.0.0.1:3000",
    "Where people open the Dagster UI; notifications link to runs there.",
)
SLACK_TOKEN = Setting(
    "TAXI_SLACK_TOKEN",
    "",
    "Secret. A Slack bot token with chat:write: notifications go to TAXI_SLACK_CHANNEL.",
)
SLACK_CHANNEL = Setting("TAXI_SLACK_CHANNEL", "", "The Slack channel for notifications.")
TEAMS_WEBHOOK = Setting(
    "TAXI_TEAMS_WEBHOOK",
    "",
    "Secret. A Microsoft Teams webhook: notifications go to its channel.",
)
EMAIL_TO = Setting(
    "TAXI_EMAIL_TO", "", "Comma-separated addresses: notifications go there by e-mail."
)
EMAIL_FROM = Setting("TAXI_EMAIL_FROM", "", "The sender of those e-mails.")
SMTP_URL = Setting(
    "TAXI_SMTP_URL",
    "",
    "Secret. The mail server, with user and password if it wants them: "
    "smtps://user:password@host:465, or smtp://user:password@host:587, which turns to TLS.",
)

SETTINGS: tuple[Setting, ...] = (
    HOME, TLC_URL, LAKE_URL, WAREHOUSE_URL, SCRATCH, MEMORY_LIMIT, ENV, ROW_COUNTS,
    SENSOR_SECONDS, SCHEDULE_LAG_MONTHS, UI_URL, SLACK_TOKEN, SLACK_CHANNEL, TEAMS_WEBHOOK,
    EMAIL_TO, EMAIL_FROM, SMTP_URL, GCP_IMPERSONATE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notify:
    """Where notifications go; an empty value is a channel that is off. Secrets are not printed."""

    ui_url: str
    slack_token: str = field(default="", repr=False)
    slack_channel: str = ""
    teams_webhook: str = field(default="", repr=False)
    email_to: tuple[str, ...] = ()
    email_from: str = ""
    smtp_url: str = field(default="", repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Notify:
        """Read the environment; raises ``Misconfigured`` for a channel that is half set."""
        _all_or_none(env, SLACK_TOKEN, SLACK_CHANNEL)
        _all_or_none(env, EMAIL_TO, EMAIL_FROM, SMTP_URL)
        addresses = (part.strip() for part in env.get(EMAIL_TO.name, "").split(","))
        return cls(
            ui_url=(env.get(UI_URL.name) or UI_URL.default).rstrip("/"),
            slack_token=env.get(SLACK_TOKEN.name, ""),
            slack_channel=env.get(SLACK_CHANNEL.name, ""),
            teams_webhook=env.get(TEAMS_WEBHOOK.name, ""),
            email_to=tuple(address for address in addresses if address),
            email_from=env.get(EMAIL_FROM.name, ""),
            smtp_url=env.get(SMTP_URL.name, ""),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force."""

    home: Path
    tlc_url: str
    lake_url: str
    warehouse_url: str
    scratch: Path
    memory_limit: str
    production: bool
    row_counts: Path | None
    sensor_seconds: int
    schedule_lag_months: int
    notify: Notify

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the environment; raises ``Misconfigured`` with the variable's name."""
        env = os.environ if env is None else env
        home = Path(env.get(HOME.name) or HOME.default).absolute()
        kind = env.get(ENV.name) or ENV.default
        if kind not in ("laptop", "production"):
            raise Misconfigured(f"{ENV.name} is {kind!r}; set it to laptop or production.")
        counts = env.get(ROW_COUNTS.name)
        return cls(
            home=home,
            tlc_url=(env.get(TLC_URL.name) or TLC_URL.default).rstrip("/"),
            lake_url=env.get(LAKE_URL.name) or (home / "lake").as_uri(),
            warehouse_url=env.get(WAREHOUSE_URL.name)
            or f"duckdb:///{quote(str(home))}/warehouse.duckdb",
            scratch=Path(env.get(SCRATCH.name) or home / "scratch"),
            memory_limit=env.get(MEMORY_LIMIT.name) or MEMORY_LIMIT.default,
            production=kind == "production",
            row_counts=Path(counts) if counts else None,
            sensor_seconds=_count(env, SENSOR_SECONDS),
            schedule_lag_months=_count(env, SCHEDULE_LAG_MONTHS),
            notify=Notify.from_env(env),
        )


def render_document() -> str:
    """``docs/settings.md``: the table, as Markdown."""
    rows = [
        f"| `{each.name}` | {f'`{each.default}`' if each.default else ''} | {each.meaning} |"
        for each in SETTINGS
    ]
    return "\n".join([_INTRODUCTION, "| setting | default | meaning |", "|---|---|---|", *rows, ""])


def _count(env: Mapping[str, str], setting: Setting) -> int:
    text = env.get(setting.name) or setting.default
    if not text.isdecimal() or int(text) < 1:
        raise Misconfigured(f"{setting.name} is {text!r}; set it to a whole number, 1 or more.")
    return int(text)


def _all_or_none(env: Mapping[str, str], *settings: Setting) -> None:
    missing = [setting.name for setting in settings if not env.get(setting.name)]
    if missing and len(missing) < len(settings):
        given = next(each.name for each in settings if each.name not in missing)
        raise Misconfigured(f"{given} is set and {' and '.join(missing)} not; set all or none.")


if __name__ == "__main__":
    sys.stdout.write(render_document())
