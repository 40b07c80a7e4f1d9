from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from taxi_assets_tests.emulators import environments
from taxi_assets_tests.emulators.pythons import find_python
from taxi_assets_tests.emulators.server import (
    HOST,
    ServerFailed,
    Unavailable,
    answers_http,
    free_port,
    serving,
    workspace,
)

EMULATORS = [sys.executable, "-m", "taxi_assets_tests.emulators"]


def http_server(port: int) -> list[str]:
    return [sys.executable, "-m", "http.server", "--bind", HOST, str(port)]


def test_a_server_runs_during_the_block_and_is_stopped_after_it(tmp_path: Path) -> None:
    port = free_port()
    with serving(http_server(port), ready=partial(answers_http, port), folder=tmp_path):
        assert answers_http(port)
    assert not answers_http(port)


def test_a_server_is_stopped_if_the_block_raises(tmp_path: Path) -> None:
    port = free_port()
    ready = partial(answers_http, port)
    with (
        pytest.raises(ZeroDivisionError),
        serving(http_server(port), ready=ready, folder=tmp_path),
    ):
        raise ZeroDivisionError
    assert not answers_http(port)


def test_the_error_for_a_server_that_ends_has_its_output(tmp_path: Path) -> None:
    dying = [sys.executable, "-c", "raise SystemExit('no such bucket store')"]
    with (
        pytest.raises(ServerFailed, match=r"exit code 1.*\n.*no such bucket store"),
        serving(dying, ready=lambda: False, folder=tmp_path),
    ):
        pytest.fail("entered without a server")


def test_the_error_for_a_used_port_says_so(tmp_path: Path) -> None:
    port = free_port()
    ready = partial(answers_http, port)
    command = http_server(port)
    with (
        serving(command, ready=ready, folder=tmp_path),
        pytest.raises(ServerFailed, match="in use"),
        serving(command, ready=(tmp_path / "never").exists, folder=tmp_path),
    ):
        pytest.fail("entered without a server")


def test_a_server_is_stopped_if_its_parent_is_killed(tmp_path: Path) -> None:
    port = free_port()
    start = (
        "import pathlib, signal\n"
        "from taxi_assets_tests.emulators.server import answers_http, serving\n"
        f"with serving({http_server(port)}, ready=lambda: answers_http({port}), "
        f"folder=pathlib.Path({str(tmp_path)!r})):\n"
        "    signal.raise_signal(signal.SIGKILL)\n"
    )
    before = set(psutil.pids())
    done = subprocess.run([sys.executable, "-c", start], cwd=environments.ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    new = set(psutil.pids()) - before
    started = [psutil.Process(pid) for pid in new if str(port) in words(pid)]
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive
    assert not answers_http(port)


def words(pid: int) -> list[str]:
    """The command line of a process, if it is running."""
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


def test_a_workspace_is_removed() -> None:
    with workspace("proof") as folder:
        (folder / "log").write_text("started")
    assert not folder.exists()


def test_an_environment_is_current_only_if_it_is_complete_and_from_this_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    lock = tmp_path / "lock"
    lock.write_text("trips==1")
    with pytest.raises(ZeroDivisionError), environments.building("proof", lock):
        raise ZeroDivisionError
    assert not environments.is_current("proof", lock)
    with environments.building("proof", lock):
        pass
    assert environments.is_current("proof", lock)
    lock.write_text("trips==2")
    with pytest.raises(Unavailable, match=r"emulators\.install proof"):
        environments.installed("proof", lock)


def test_locks_contain_no_urls() -> None:
    for lock in environments.LOCKS.glob("*"):
        assert lock.suffix == ".md" or "://" not in lock.read_text(), lock.name


def test_the_error_for_a_missing_python_names_the_version() -> None:
    assert find_python(".".join(map(str, sys.version_info[:2]))) == Path(sys.executable)
    with pytest.raises(Unavailable, match=r"3\.99"):
        find_python("3.99")


@pytest.mark.usefixtures("gcs_emulator")  # skips if it is not installed
def test_a_command_runs_with_emulators_and_its_exit_code_is_returned(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys, urllib.request as r;"
        "url = os.environ['STORAGE_EMULATOR_HOST'];"
        "r.urlopen(f'{url}/storage/v1/b?project=local').read();"
        f"pathlib.Path({str(tmp_path / 'url')!r}).write_text(url); sys.exit(7)"
    )
    done = subprocess.run([*EMULATORS, "gcs", "--", sys.executable, "-c", program], check=False)
    assert done.returncode == 7
    port = int((tmp_path / "url").read_text().rpartition(":")[2])
    assert not answers_http(port)


@pytest.mark.usefixtures("gcs_emulator")
def test_emulators_are_stopped_if_their_command_is_terminated() -> None:
    waiting = [sys.executable, "-c", "print('up', flush=True); input()"]
    with subprocess.Popen(
        [*EMULATORS, "gcs", "--", *waiting], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


@pytest.mark.parametrize(("ci", "outcome"), [("true", "error"), ("", "skipped")])
def test_a_missing_emulator_fails_in_ci_and_skips_elsewhere(
    tmp_path: Path, ci: str, outcome: str
) -> None:
    (tmp_path / "conftest.py").write_text(
        "import pathlib\n"
        "from taxi_assets_tests.emulators import environments\n"
        "environments.ROOT = pathlib.Path(__file__).parent\n"
        "pytest_plugins = ['taxi_assets_tests.emulators.fixtures']\n"
    )
    (tmp_path / "test_it.py").write_text("def test_it(gcs_emulator): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"CI": ci, "PYTHONPATH": str(environments.ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"1 {outcome}" in done.stdout, done.stdout + done.stderr
    assert "python -m taxi_assets_tests.emulators.install gcs" in done.stdout
