"""Settings are read, validated and documented."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from taxi_assets import setting_values
from taxi_assets.datasets import Month
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.errors import Misconfigured
from taxi_assets.row_counts import TrustedCount, read_counts
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
        ("TAXI_ENV", "prod"),
        ("TAXI_SENSOR_SECONDS", "0"),
        ("TAXI_SENSOR_SECONDS", "hourly"),
        ("TAXI_SENSOR_SECONDS", "9" * 20),
        ("TAXI_SCHEDULE_LAG_MONTHS", "-1"),
        ("TAXI_SCHEDULE_LAG_MONTHS", "1.5"),
        ("TAXI_SCHEDULE_LAG_MONTHS", "100000"),
        ("TAXI_HOME", "data"),
        ("TAXI_HOME", "./.taxi"),
        ("TAXI_SCRATCH", "scratch"),
        ("TAXI_ROW_COUNTS", "counts.csv"),
        ("TAXI_ROW_COUNTS", "/nowhere/counts.csv"),
        ("TAXI_HOME", f"{__file__}/home"),
        ("TAXI_SCRATCH", f"{__file__}/scratch"),
        *(
            ("TAXI_MEMORY_LIMIT", value)
            for value in (
                "lots", "0", "-1", "-5MB", "1MB", "99MB", "512", "80%", "none", "1PB",
                "5,5GB", "512MB; DROP TABLE x", "9" * 30 + "GB",
            )
        ),
    ],
)  # fmt: skip
def test_an_invalid_value_is_refused_with_the_settings_name(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} is {re.escape(repr(value))}") as caught:
        Settings.from_env({name: value})
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "limit", ["100MB", "512MB", "0.5 GB", "1GiB", "4g", "2 G", "1tb", " 512MiB ", "102400KB"]
)
def test_a_memory_limit_is_one_that_duckdb_accepts(limit: str) -> None:
    read = Settings.from_env({"TAXI_MEMORY_LIMIT": limit}).memory_limit
    with duckdb.connect(config={"memory_limit": read}) as connection:
        (set_to,) = connection.execute("SELECT current_setting('memory_limit')").fetchone() or ()
    assert float(set_to.split()[0]) > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TAXI_UI_URL", "taxi.example.org"),
        ("TAXI_UI_URL", "ftp://hush@taxi.example.org"),
        ("TAXI_TLC_URL", "hush"),
        ("TAXI_TLC_URL", "http://"),
        ("TAXI_TEAMS_WEBHOOK", "example.org/hush"),
        ("TAXI_TEAMS_WEBHOOK", "https://example.org/hush hush"),
        ("TAXI_SMTP_URL", "mail.example.org:hush"),
        ("TAXI_SMTP_URL", "smtps://me:hush/hush@mail.example.org"),
        ("TAXI_SMTP_URL", "smtps://me:hush@mail.example.org:hush"),
        ("TAXI_SMTP_URL", "smtps://me:hush@[::1"),
        ("TAXI_SMTP_URL", "https://me:hush@mail.example.org"),
    ],
)
def test_an_invalid_url_is_refused_without_repeating_it(name: str, value: str) -> None:
    mail = {"TAXI_EMAIL_TO": "a@example.org", "TAXI_EMAIL_FROM": "taxi@example.org"}
    env = {**(mail if name == "TAXI_SMTP_URL" else {}), name: value}
    with pytest.raises(Misconfigured, match=rf"^{name} is not a URL\. Set it to \w+://host…") as it:
        Settings.from_env(env)
    error: BaseException | None = it.value
    while error is not None:
        assert "hush" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.parametrize("name", ["TAXI_EMAIL_TO", "TAXI_EMAIL_FROM"])
@pytest.mark.parametrize("value", ["someone", "a@example.org\nBcc: b@example.org", "@"])
def test_an_invalid_mail_address_is_refused(name: str, value: str) -> None:
    mail = {
        "TAXI_EMAIL_TO": "a@example.org",
        "TAXI_EMAIL_FROM": "Taxi <taxi@example.org>",
        "TAXI_SMTP_URL": "smtps://mail.example.org",
    }
    Settings.from_env(mail)
    with pytest.raises(Misconfigured, match=f"^{name} has "):
        Settings.from_env({**mail, name: value})


@pytest.mark.parametrize("name", ["TAXI_LAKE_URL", "TAXI_WAREHOUSE_URL"])
def test_an_unknown_store_is_refused_when_the_settings_are_read(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} is ftp://host/path, which is not a"):
        Settings.from_env({name: "ftp://host/path"})


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "its columns are missing"),
        ("dataset,rows\ngreen,3\n", "its columns are dataset, rows"),
        ("dataset,month,rows\ngren,2024-01,3\n", "line 2: 'gren' is not a dataset"),
        ("dataset,month,rows\ngreen,2024-13,3\n", "line 2: 2024-13 is not a month"),
        ("dataset,month,rows\ngreen,2024-01,many\n", "line 2: 'many' is not a number of rows"),
        ("dataset,month,rows\ngreen,2024-01,-3\n", "line 2: '-3' is not a number of rows"),
        ("dataset,month,rows\ngreen,2024-01\n", "line 2: '' is not a number of rows"),
        (
            "dataset,month,rows\ngreen,2024-01,3\nfhv,2024-01,3\ngreen,2024-01,4\n",
            "line 4: green 2024-01 has two counts",
        ),
        (
            "dataset,month,rows,published\ngreen,2024-01,3,March\n",
            "line 2: Invalid isoformat string: 'March'",
        ),
        ("\ud800", "'utf-8' codec can't decode"),
    ],
)
def test_a_wrong_file_of_row_counts_is_refused_with_its_line(
    tmp_path: Path, text: str, error: str
) -> None:
    path = tmp_path / "counts.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(Misconfigured, match=rf"not a file of row counts: {re.escape(error)}"):
        Settings.from_env({"TAXI_ROW_COUNTS": str(path)})


def test_row_counts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("\ufeffmonth,rows,dataset,note\n2024-01,56551,green,checked\n", "utf-8")
    assert Settings.from_env({"TAXI_ROW_COUNTS": str(path)}).row_counts == path
    assert read_counts(path) == {("green", Month(2024, 1)): TrustedCount(56551)}
    path.write_text("dataset,month,rows,published\ngreen,2024-01,3,2024-03-20\nfhv,2024-01,4,\n")
    assert read_counts(path) == {
        ("green", Month(2024, 1)): TrustedCount(3, date(2024, 3, 20)),
        ("fhv", Month(2024, 1)): TrustedCount(4),
    }


def test_the_home_is_the_checkouts_whatever_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Settings.from_env({}).home
    monkeypatch.chdir(tmp_path)
    assert Settings.from_env({}).home == before == PAGE.parents[1] / ".taxi"


def test_the_home_of_an_installed_package_is_in_the_users_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_values, "__file__", str(tmp_path / "lib" / "p" / "module.py"))
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert Settings.from_env({}).home == tmp_path / "me" / ".taxi"


def test_csv_is_not_read_from_tlc_which_has_none() -> None:
    with pytest.raises(Misconfigured, match=r"TAXI_SOURCE_FORMAT is csv.gz, but TLC's own site"):
        Settings.from_env({"TAXI_SOURCE_FORMAT": "csv.gz"})
    with pytest.raises(Misconfigured, match=r"Set it to parquet or csv or csv\.gz"):
        Settings.from_env({"TAXI_SOURCE_FORMAT": "json"})
    mirror = {"TAXI_TLC_URL": "https://example.org/mirror", "TAXI_SOURCE_FORMAT": "csv"}
    assert Settings.from_env(mirror).source_format is FileFormat.CSV


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
