"""The commands, settings, files and links on the operators' pages exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from dagster._cli import create_dagster_cli
from dagster_webserver.cli import dagster_webserver

from taxi_assets.cli import _parser
from taxi_assets.definitions import defs
from taxi_assets.settings import SETTINGS
from taxi_assets_tests.deploy.files import DEPLOY, DOCS, ROOT, fenced, read_yaml

PAGES = [
    DOCS / "cluster.md",
    DOCS / "grants.md",
    DOCS / "operations.md",
    DOCS / "gcp.md",
    DOCS / "from-prefect.md",
    DEPLOY / "helm" / "README.md",
]
TEXT = {page: page.read_text("utf-8") for page in PAGES}
# Sensors that exist only if a channel is configured.
NOTIFIERS = {"notify_failures", "notify_loaded_months", "notify_overdue_months"}
# Settings that are not the platform's own.
OTHERS = {"TAXI_GCP_IMPERSONATE", "TAXI_IMAGE", "TAXI_CODE_MEMORY", "TAXI_LOGS_BUCKET"}


def commands(program: str) -> Iterator[list[str]]:
    """The arguments of ``program`` on the pages, in shell blocks and inline code."""
    for page, text in TEXT.items():
        blocks = [block.replace("\\\n", " ") for block in fenced(page, "console")]
        inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
        for line in [*"\n".join(blocks).splitlines(), *inline]:
            words = shlex.split(line, comments=True) if line.count("'") % 2 == 0 else []
            names = [Path(word).name for word in words]
            if program in names:
                yield words[names.index(program) + 1 :]


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {words[0] for words in commands("make") if words}
    assert named
    assert named <= targets


def test_every_dagster_command_and_option_exists() -> None:
    used = [words for words in commands("dagster") if words and not words[0].startswith("/")]
    cli: click.Group = create_dagster_cli()  # type: ignore[no-untyped-call]  # untyped in Dagster
    checked = [words for words in used if words[0] in cli.commands]
    assert len(checked) >= 5
    for words in checked:
        _check(cli, words)
    for words in commands("dagster-webserver"):
        _check(dagster_webserver, words)


def test_every_command_of_the_platform_exists() -> None:
    (choices,) = [each.choices for each in _parser()._actions if each.choices]
    used = {words[1] for words in commands("-m") if words[:1] == ["taxi_assets"] and words[1:]}
    assert {"check", "upgrade"} <= used <= set(choices)


def _check(command: click.Command, words: list[str]) -> None:
    rest = list(words)
    while isinstance(command, click.Group):
        assert rest[0] in command.commands, words
        command = command.commands[rest.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    used = {word.split("=")[0] for word in rest if word.startswith("-")}
    assert used <= known, words


def test_every_named_job_sensor_and_schedule_exists() -> None:
    repository = defs().get_repository_def()
    exist = {
        *(job.name for job in repository.get_all_jobs()),
        *(sensor.name for sensor in repository.sensor_defs),
        *(schedule.name for schedule in repository.schedule_defs),
    }
    names = (
        r"`((?:yellow|green|fhv|fhvhv)_(?!trips(?:_\d{6})?`|rejects`)\w+|overdue_\w+|notify_\w+)`"
    )
    named = set(re.findall(names, "".join(TEXT.values())))
    assert len(named) >= 6
    assert named >= NOTIFIERS
    assert named - NOTIFIERS <= exist


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_exists(page: Path) -> None:
    known = {setting.name for setting in SETTINGS} | OTHERS
    assert set(re.findall(r"\bTAXI_[A-Z_]+\b", TEXT[page])) <= known | {
        name for name in ("TAXI_PORT",) if name in (DEPLOY / "compose.yaml").read_text("utf-8")
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_exists(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXT[page]):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        if anchor:
            assert anchor in _anchors(other), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_file_of_the_project_exists(page: Path) -> None:
    named = re.findall(r"`((?:deploy|docs|taxi_assets|taxi_assets_tests)/[\w./-]*)`", TEXT[page])
    written_by_users = {"deploy/.env", "deploy/compose.override.yaml"}
    for name in set(named) - written_by_users:
        assert (ROOT / name).exists(), name


def test_every_named_service_exists_in_compose() -> None:
    services = set(read_yaml(DEPLOY / "compose.yaml")["services"])
    text = TEXT[DOCS / "operations.md"]
    named = re.findall(r"compose\.yaml (?:exec(?: -T)?|stop|logs --follow) ([a-z]+)", text)
    assert named
    assert set(named) <= services


def _anchors(page: Path) -> set[str]:
    """GitHub's anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
