"""A fault of the environment is one line, exit code 2 and nothing made; odd homes work."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from taxi_assets import cli
from taxi_assets.datasets import Month
from taxi_assets.instance import prepared
from taxi_assets.settings import Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.test_commands import command, environment

JANUARY = ("run", "--datasets", "green", "--months", "2024-01")

Fails = Callable[..., str]


@pytest.fixture
def fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Fails:
    """Runs a command that must fail; returns its one line."""
    for name in [each for each in os.environ if each.startswith(("TAXI_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TAXI_HOME", str(tmp_path / "home"))

    def run(*arguments: str, **env: str) -> str:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DAGSTER_HOME", env.get("DAGSTER_HOME", ""))  # restored afterwards
        assert cli.main(arguments) == 2
        out, err = capsys.readouterr()
        (line,) = err.splitlines()
        assert out == ""
        assert line.startswith("taxi_assets: ")
        return line

    return run


@pytest.mark.parametrize("arguments", [JANUARY, ("demo",), ("upgrade",), ("ui",)])
@pytest.mark.parametrize(
    ("home", "error"),
    [
        ("nowhere/at/all", "which does not exist. Unset it, to use "),
        ("file", "which is not a folder. Unset it, to use "),
        (".taxi/dagster", "which is not an absolute path. Unset it, to use "),
    ],
)
def test_a_dagster_home_that_cannot_be_used(
    tmp_path: Path, fails: Fails, arguments: tuple[str, ...], home: str, error: str
) -> None:
    (tmp_path / "file").write_text("")
    named = home if home.startswith(".") else str(tmp_path / home)
    assert f"DAGSTER_HOME is '{named}', {error}" in fails(*arguments, DAGSTER_HOME=named)
    assert not (tmp_path / "home").exists()


def test_the_dagster_home_that_the_pages_name_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``export DAGSTER_HOME=$PWD/.taxi/dagster`` before anything exists, also through a link."""
    (tmp_path / "checkout").mkdir()
    (tmp_path / "link").symlink_to("checkout")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "link/.taxi/dagster"))
    home = tmp_path / "checkout/.taxi"
    with prepared(Settings.from_env({"TAXI_HOME": str(home)})) as instance:
        assert {limit.name for limit in instance.event_log_storage.get_pool_limits()} == {"tlc"}
    assert (home / "dagster/dagster.yaml").is_file()


@pytest.mark.parametrize("arguments", [JANUARY, ("demo",), ("upgrade",), ("ui",)])
def test_a_home_below_a_file(tmp_path: Path, fails: Fails, arguments: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("")
    line = fails(*arguments, TAXI_HOME=f"{tmp_path}/file/home")
    assert f"TAXI_HOME is '{tmp_path}/file/home', but {tmp_path}/file is not a folder." in line


@pytest.mark.parametrize("in_the_way", ["dagster", "dagster/dagster.yaml/x"])
def test_a_home_that_cannot_be_written(tmp_path: Path, fails: Fails, in_the_way: str) -> None:
    path = tmp_path / "home" / in_the_way
    path.parent.mkdir(parents=True)
    path.write_text("")
    line = fails(*JANUARY)
    assert f"TAXI_HOME is '{tmp_path}/home', and {tmp_path}/home/dagster" in line
    assert line.endswith("Set it to a folder that you may write to.")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_in_a_folder_that_is_read_only(tmp_path: Path, fails: Fails) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "Permission denied" in fails(*JANUARY, TAXI_HOME=f"{tmp_path}/closed/home")


@pytest.mark.parametrize("home", ["what?", "per%20cent"])
def test_a_home_that_dagster_cannot_store_its_records_in(
    tmp_path: Path, fails: Fails, home: str
) -> None:
    assert "with ?, or with % before two digits" in fails(*JANUARY, TAXI_HOME=f"{tmp_path}/{home}")
    assert not (tmp_path / home).exists()


@pytest.mark.parametrize(
    ("file", "text"),
    [("dagster.yaml", "run_coordinator: 3"), ("dagster.yaml", "a: ["), ("history", "no folder")],
)
def test_records_that_dagster_cannot_open(
    tmp_path: Path, fails: Fails, file: str, text: str
) -> None:
    home = tmp_path / "records"
    home.mkdir()
    (home / file).write_text(text)
    line = fails(*JANUARY, DAGSTER_HOME=str(home))
    assert f"Dagster's records in {home} cannot be opened (" in line


@pytest.mark.parametrize("arguments", [JANUARY, ("demo",), ("upgrade",), ("ui",)])
def test_a_setting_that_is_wrong(tmp_path: Path, fails: Fails, arguments: tuple[str, ...]) -> None:
    line = fails(*arguments, TAXI_MEMORY_LIMIT="lots")
    assert "TAXI_MEMORY_LIMIT is 'lots'. Set it to a size of at least 100MB" in line
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("run", "--months", ""), "no months are given: use make run MONTHS=2024-01"),
        (("run", "--months", " "), "no months are given"),
        (("run",), "the following arguments are required: --months"),
        (("run", "--months", "2024-01:"), "'' is not a month"),
        (("run", "--months", "2024-01", "--datasets"), "expected at least one argument"),
        (("ui", "--port", "http"), "invalid int value: 'http'"),
        (("ui", "--port", "0"), "Port 0 does not exist"),
        (("ui", "--port", "65536"), "Port 65536 does not exist"),
        (("fly",), "invalid choice: 'fly'"),
        ((), "the following arguments are required: command"),
    ],
)
def test_arguments_that_are_wrong(fails: Fails, arguments: tuple[str, ...], error: str) -> None:
    assert error in fails(*arguments)


def test_the_code_location_says_which_setting_is_wrong(tmp_path: Path) -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("dagster"), "definitions", "validate"],
        cwd=Path(__file__).parents[1],
        env={**environment(tmp_path), "TAXI_MEMORY_LIMIT": "lots"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert "TAXI_MEMORY_LIMIT is 'lots'. Set it to a size" in ran.stdout + ran.stderr


def test_four_first_commands_at_once_set_a_home_up(tmp_path: Path) -> None:
    # Forked when everything is imported, so that the four meet in the set-up.
    program = """
import os, sys
from taxi_assets.instance import prepared
from taxi_assets.settings import Settings

def first_command(start):
    os.read(start, 1)
    with prepared(Settings.from_env()) as instance:
        instance.get_asset_keys()

for home in sys.argv[1:]:
    os.environ["TAXI_HOME"] = home
    start, go = os.pipe()
    children = []
    for _ in range(4):
        if not (child := os.fork()):
            os.close(go)
            first_command(start)
            os._exit(0)
        children.append(child)
    os.close(start)
    os.close(go)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print(codes, flush=True)
"""
    homes = [str(tmp_path / str(number)) for number in range(3)]
    ran = subprocess.run(
        [sys.executable, "-c", program, *homes],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.splitlines() == ["[0, 0, 0, 0]"] * 3, ran.stderr
    for home in homes:
        with dg.DagsterInstance.from_config(f"{home}/dagster") as instance:
            (tlc,) = instance.event_log_storage.get_pool_limits()
            assert (tlc.name, tlc.limit) == ("tlc", 4)


def test_a_home_with_odd_characters_works_to_the_printed_query(
    tmp_path: Path, tlc: Simulator
) -> None:
    tlc.publish_zones()
    tlc.publish("green", Month(2024, 1), rows=100)
    home = tmp_path / "a b ü'\"$HOME #1 100% [x]*&;"
    home.mkdir()
    ran = command(home, *JANUARY, TAXI_TLC_URL=tlc.url)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (query,) = re.findall(r"^query it   (.*)$", ran.stdout, re.M)
    python = home / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    pasted = subprocess.run(
        ["sh", "-c", query], cwd=home, capture_output=True, text=True, check=False
    )
    assert pasted.returncode == 0, pasted.stderr
    assert "vendor_id" in pasted.stdout
    assert (home / ".taxi/lake/trips/green/year=2024/month=01/trips.parquet").is_file()
