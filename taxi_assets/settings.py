"""All settings of the platform: environment variables with defaults, validated here.

Add a setting to ``SETTINGS`` and ``Settings``, and write ``docs/settings.md`` again with
``python -m taxi_assets.settings``; a test compares the two.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from taxi_assets.addresses import lake_address, warehouse_address
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.errors import Misconfigured
from taxi_assets.row_counts import read_counts
from taxi_assets.setting_values import (
    default_home,
    file_path,
    folder_path,
    mail_address,
    memory_limit,
    require_url,
    whole_number,
)
from taxi_assets.tlc import DEFAULT_URL

__all__ = [
    "LAKE_URL",
    "SETTINGS",
    "SOURCE_FORMAT",
    "TLC_URL",
    "WAREHOUSE_URL",
    "Notify",
    "Setting",
    "Settings",
    "render_document",
]

_MOST_SECONDS = 31 * 24 * 3600
_MOST_MONTHS = 120

# All four datasets, 2019-01 to 2021-07. https://github.com/DataTalksClub/nyc-tlc-data
_CSV_MIRROR = "https://github.com/DataTalksClub/nyc-tlc-data/releases/download"

_INTRODUCTION = """\
<!-- Written by `python -m taxi_assets.settings > docs/settings.md`; edit that module. -->
# Settings

Each is an environment variable; an empty one counts as not set.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name, its default as text, and its meaning."""

    name: str
    default: str
    meaning: str


HOME = Setting(
    "TAXI_HOME",
    ".taxi",
    "Folder for everything stored on this machine: the embedded lake and warehouse, scratch files, "
    "and (with the make commands) Dagster's own records. An absolute path; by default .taxi in the "
    "checkout, whatever the working directory, or in your home folder if the package is installed "
    "without a checkout.",
)
TLC_URL = Setting(
    "TAXI_TLC_URL", DEFAULT_URL, "Base URL of TLC's files: TLC's site, a mirror or the simulator."
)
SOURCE_FORMAT = Setting(
    "TAXI_SOURCE_FORMAT",
    FileFormat.PARQUET.value,
    "Format of the months at TAXI_TLC_URL: parquet as TLC publishes them, or csv.gz or csv as "
    "mirrors keep them, under {url}/{dataset}/{dataset}_tripdata_{month}.csv.gz. Months of the two "
    "are never stored together.",
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
    "Local folder for temporary files, an absolute path; a month needs about three times its "
    "published size.",
)
MEMORY_LIMIT = Setting(
    "TAXI_MEMORY_LIMIT",
    "512MB",
    "Memory limit of DuckDB while it cleans and loads a month, at least 100MB; it spills the rest "
    "to scratch.",
)
ENV = Setting(
    "TAXI_ENV",
    "laptop",
    "laptop or production: in production the schedules and sensors are on by default.",
)
ROW_COUNTS = Setting(
    "TAXI_ROW_COUNTS",
    "",
    "CSV file of published row counts that are newer than those of the package or replace them, an "
    "absolute path, with the columns dataset, month, rows and, if known, published: the day the "
    "file was last modified. The check published_rows warns of a month that differs.",
)
GCP_IMPERSONATE = Setting(
    "TAXI_GCP_IMPERSONATE",
    "",
    "A Google service account to impersonate with the available credentials: "
    "name@project.iam.gserviceaccount.com.",
)
SENSOR_SECONDS = Setting(
    "TAXI_SENSOR_SECONDS",
    "3600",
    "How often, in seconds, each sensor polls TLC for new and reissued months.",
)
SCHEDULE_LAG_MONTHS = Setting(
    "TAXI_SCHEDULE_LAG_MONTHS",
    "2",
    "How many whole months after its end a month is loaded by the schedules, and reported as "
    "overdue by the daily check if it is not loaded; 1 or more. TLC takes 47 to 62 days.",
)
UI_URL = Setting(
    "TAXI_UI_URL",
    "http://127.0.0.1:3000",
    "URL at which people open the Dagster UI; notifications link to it.",
)
SLACK_TOKEN = Setting(
    "TAXI_SLACK_TOKEN",
    "",
    "Secret. A Slack bot token with chat:write: notifications are sent to TAXI_SLACK_CHANNEL.",
)
SLACK_CHANNEL = Setting("TAXI_SLACK_CHANNEL", "", "The Slack channel for notifications.")
TEAMS_WEBHOOK = Setting(
    "TAXI_TEAMS_WEBHOOK",
    "",
    "Secret. A Microsoft Teams webhook: notifications are sent to its channel.",
)
EMAIL_TO = Setting(
    "TAXI_EMAIL_TO", "", "Comma-separated addresses to send notifications to by e-mail."
)
EMAIL_FROM = Setting("TAXI_EMAIL_FROM", "", "The sender of those e-mails.")
SMTP_URL = Setting(
    "TAXI_SMTP_URL",
    "",
    "Secret. The mail server, with user and password if it requires them: "
    "smtps://user:password@host:465, or smtp://user:password@host:587 with STARTTLS.",
)

UMASK = Setting(
    "TAXI_UMASK",
    "",
    "Which rights the files and folders of the embedded lake and warehouse lack, in octal as for "
    "the shell's umask: 077 closes them to all other users. By default the process's own umask. "
    "Scratch and Dagster's records are always closed.",
)

SETTINGS: tuple[Setting, ...] = (
    HOME, TLC_URL, SOURCE_FORMAT, LAKE_URL, WAREHOUSE_URL, SCRATCH, MEMORY_LIMIT, ENV, ROW_COUNTS,
    SENSOR_SECONDS, SCHEDULE_LAG_MONTHS, UI_URL, SLACK_TOKEN, SLACK_CHANNEL, TEAMS_WEBHOOK,
    EMAIL_TO, EMAIL_FROM, SMTP_URL, GCP_IMPERSONATE, UMASK,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notify:
    """The notification channels; an empty value disables one. Secrets are not in the repr."""

    ui_url: str
    slack_token: str = field(default="", repr=False)
    slack_channel: str = ""
    teams_webhook: str = field(default="", repr=False)
    email_to: tuple[str, ...] = ()
    email_from: str = ""
    smtp_url: str = field(default="", repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Notify:
        """Read the environment; raises ``Misconfigured`` for an incomplete channel."""
        _all_or_none(env, SLACK_TOKEN, SLACK_CHANNEL)
        _all_or_none(env, EMAIL_TO, EMAIL_FROM, SMTP_URL)
        addresses = (part.strip() for part in env.get(EMAIL_TO.name, "").split(","))
        sender = env.get(EMAIL_FROM.name, "")
        return cls(
            ui_url=_url(env, UI_URL, "https", "http").rstrip("/"),
            slack_token=env.get(SLACK_TOKEN.name, ""),
            slack_channel=env.get(SLACK_CHANNEL.name, ""),
            teams_webhook=_url(env, TEAMS_WEBHOOK, "https", "http"),
            email_to=tuple(mail_address(EMAIL_TO.name, each) for each in addresses if each),
            email_from=mail_address(EMAIL_FROM.name, sender) if sender else "",
            smtp_url=_url(env, SMTP_URL, "smtp", "smtps"),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of all settings. Addresses are not in the repr."""

    home: Path
    tlc_url: str = field(repr=False)
    source_format: FileFormat
    lake_url: str = field(repr=False)
    warehouse_url: str = field(repr=False)
    scratch: Path
    memory_limit: str
    production: bool
    row_counts: Path | None
    sensor_seconds: int
    schedule_lag_months: int
    notify: Notify
    umask: int | None

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the environment; raises ``Misconfigured``, naming the variable.

        Creates nothing.
        """
        env = os.environ if env is None else env
        given = env.get(HOME.name)
        home = folder_path(HOME.name, given) if given else default_home()
        kind = _text(env, ENV)
        if kind not in ("laptop", "production"):
            raise Misconfigured(f"{ENV.name} is {kind!r}.", "Set it to laptop or production.")
        scratch, counts = env.get(SCRATCH.name), env.get(ROW_COUNTS.name)
        settings = cls(
            home=home,
            tlc_url=_url(env, TLC_URL, "https", "http").rstrip("/"),
            source_format=_format(env),
            lake_url=env.get(LAKE_URL.name) or (home / "lake").as_uri(),
            warehouse_url=env.get(WAREHOUSE_URL.name)
            or f"duckdb:///{quote(str(home))}/warehouse.duckdb",
            scratch=folder_path(SCRATCH.name, scratch) if scratch else home / "scratch",
            memory_limit=memory_limit(MEMORY_LIMIT.name, _text(env, MEMORY_LIMIT)),
            production=kind == "production",
            row_counts=file_path(ROW_COUNTS.name, counts) if counts else None,
            sensor_seconds=whole_number(
                SENSOR_SECONDS.name, _text(env, SENSOR_SECONDS), most=_MOST_SECONDS
            ),
            schedule_lag_months=whole_number(
                SCHEDULE_LAG_MONTHS.name, _text(env, SCHEDULE_LAG_MONTHS), most=_MOST_MONTHS
            ),
            notify=Notify.from_env(env),
            umask=_umask(env),
        )
        lake_address(settings.lake_url)
        warehouse_address(settings.warehouse_url)
        if settings.row_counts:
            read_counts(settings.row_counts)
        return settings

    def set_umask(self) -> None:
        """Set this process's umask, if one is configured."""
        if self.umask is not None:
            os.umask(self.umask)


def render_document() -> str:
    """The text of ``docs/settings.md``."""
    rows = [
        f"| `{each.name}` | {f'`{each.default}`' if each.default else ''} | {each.meaning} |"
        for each in SETTINGS
    ]
    return "\n".join([_INTRODUCTION, "| setting | default | meaning |", "|---|---|---|", *rows, ""])


def _text(env: Mapping[str, str], setting: Setting) -> str:
    return env.get(setting.name) or setting.default


def _url(env: Mapping[str, str], setting: Setting, *schemes: str) -> str:
    if text := _text(env, setting):
        require_url(setting.name, text, *schemes)
    return text


def _format(env: Mapping[str, str]) -> FileFormat:
    text = _text(env, SOURCE_FORMAT)
    if text not in list(FileFormat):
        raise Misconfigured(
            f"{SOURCE_FORMAT.name} is {text!r}.", f"Set it to {' or '.join(FileFormat)}."
        )
    found = FileFormat(text)
    if found.is_csv and _text(env, TLC_URL).rstrip("/") == DEFAULT_URL:
        raise Misconfigured(
            f"{SOURCE_FORMAT.name} is {text}, but TLC's own site has no CSV.",
            f"Set {TLC_URL.name} to a mirror, such as {_CSV_MIRROR}.",
        )
    return found


def _umask(env: Mapping[str, str]) -> int | None:
    text = env.get(UMASK.name)
    if not text:
        return None
    if not re.fullmatch("0*[0-7]{1,3}", text):
        raise Misconfigured(f"{UMASK.name} is {text!r}.", "Set it to an octal number, such as 077.")
    return int(text, 8)


def _all_or_none(env: Mapping[str, str], *settings: Setting) -> None:
    missing = [setting.name for setting in settings if not env.get(setting.name)]
    if missing and len(missing) < len(settings):
        given = next(each.name for each in settings if each.name not in missing)
        raise Misconfigured(
            f"{given} is set without {' and '.join(missing)}.", "Set all of them or none."
        )


if __name__ == "__main__":
    sys.stdout.write(render_document())
