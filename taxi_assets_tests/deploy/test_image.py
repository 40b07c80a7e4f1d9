"""The image: its contents, its user and its entry point."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from taxi_assets_tests.deploy.files import DEPLOY, ROOT, instructions

DOCKERFILE = DEPLOY / "Dockerfile"
WEB = "dagster-webserver --workspace /d/workspace.yaml --host 0.0.0.0 --port 3000"


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for keyword, arguments in instructions(DOCKERFILE):
        if keyword == "FROM":
            found.append([])
        if found:
            found[-1].append((keyword, arguments))
    return found


def test_the_last_stage_has_a_numeric_user_that_is_not_root() -> None:
    users = [arguments for keyword, arguments in stages()[-1] if keyword == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])
    after = [keyword for keyword, _ in stages()[-1]]
    assert "RUN" not in after[after.index("USER") :]


def test_the_base_is_pinned_to_a_supported_python() -> None:
    (argument,) = [a for k, a in instructions(DOCKERFILE) if k == "ARG"]
    assert re.fullmatch(r"PYTHON=3\.\d+-slim-\w+", argument)
    assert {a for k, a in instructions(DOCKERFILE) if k == "FROM"} == {
        "python:${PYTHON} AS build",
        "python:${PYTHON}",
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"].startswith(">=3.11")


def test_every_install_is_hashed_or_local() -> None:
    runs = " && ".join(arguments for keyword, arguments in stages()[0] if keyword == "RUN")
    installs = [step for step in runs.split("&&") if re.search(r"\bpip (install|wheel)\b", step)]
    assert len(installs) == 4
    for step in installs:
        hashed = "--require-hashes" in step and "--only-binary :all:" in step
        offline = "--no-deps" in step and ("--no-index" in step or "--no-build-isolation" in step)
        assert hashed or offline, step
    assert "-r requirements.lock" in installs[0]
    assert "pip" not in " ".join(a for k, a in stages()[-1] if k == "RUN")


def test_the_build_backend_is_found_in_the_lock() -> None:
    runs = [arguments for keyword, arguments in stages()[0] if keyword == "RUN"]
    (extract,) = [run.split("&&")[0] for run in runs if "backend.lock" in run]
    command = extract.replace("> backend.lock", "")
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"setuptools==[\d.]+ \\", lines[0])
    assert all("--hash=sha256:" in line for line in lines[1:])
    assert len(lines) > 1


def test_every_copied_file_exists_and_is_not_ignored() -> None:
    not_ignored = [
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    ]
    copies = [
        arguments.split()
        for keyword, arguments in instructions(DOCKERFILE)
        if keyword == "COPY" and "--from=" not in arguments
    ]
    sources = [word for words in copies for word in words[:-1] if not word.startswith("--")]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in not_ignored), source
    assert sorted(sources) == sorted(not_ignored), "files that are not copied must be ignored"


def test_the_wheel_has_every_file_of_the_package(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    package = tmp_path / "taxi_assets"
    shutil.copytree(ROOT / "taxi_assets", package, ignore=shutil.ignore_patterns("__pycache__"))
    files = {str(each.relative_to(tmp_path)) for each in package.rglob("*") if each.is_file()}
    build = "from setuptools.build_meta import build_wheel; build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == files


def test_no_secret_is_set_in_the_image() -> None:
    set_here = " ".join(a for k, a in instructions(DOCKERFILE) if k in ("ENV", "ARG"))
    assert not re.search(r"PASSWORD|TOKEN|SECRET|CREDENTIAL|_KEY", set_here, re.IGNORECASE)


def test_secrets_of_a_deployment_cannot_reach_the_image() -> None:
    assert (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()[2] == "*"


@pytest.fixture
def path_of_echoes(tmp_path: Path) -> str:
    """A PATH with programs that only print their arguments."""
    for name in ("dagster", "dagster-daemon", "dagster-webserver"):
        program = tmp_path / name
        program.write_text('#!/bin/sh\necho "$(basename "$0") $*"\n')
        program.chmod(0o755)
    return f"{tmp_path}:/usr/bin:/bin"


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        ([], WEB),
        (["webserver", "--read-only"], f"{WEB} --read-only"),
        (["daemon"], "dagster-daemon run --workspace /d/workspace.yaml"),
        (
            ["code"],
            "dagster api grpc --module-name taxi_assets.definitions --location-name taxi_assets "
            "--host 0.0.0.0 --port 4000",
        ),
        (["dagster", "api", "execute_run", "{}"], "dagster api execute_run {}"),
    ],
)
def test_the_entry_point_starts(arguments: list[str], runs: str, path_of_echoes: str) -> None:
    done = subprocess.run(
        [DEPLOY / "entrypoint.sh", *arguments],
        env={"PATH": path_of_echoes, "DAGSTER_HOME": "/d"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == runs
