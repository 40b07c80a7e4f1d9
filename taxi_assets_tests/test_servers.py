"""``make ui``: servers on loopback that show the commands' runs, and stop completely."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest

from taxi_assets.datasets import Month
from taxi_assets.errors import Misconfigured
from taxi_assets.instance import LOCATION
from taxi_assets.servers import _only_servers_of
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.emulators.server import free_port
from taxi_assets_tests.test_commands import command
from taxi_assets_tests.ui.stack import Stack, wait_for

_TIMEOUT_SECONDS = 120.0
JANUARY, FEBRUARY = Month(2024, 1), Month(2024, 2)

_RUNS = """{ runsOrError { ... on Runs { results {
  runId jobName status parentRunId tags { key value }
  repositoryOrigin { repositoryName repositoryLocationName }
} } } }"""
_RUNS_OF_JOB = """query ($job: PipelineSelector!) {
  pipelineOrError(params: $job) { ... on Pipeline { runs(limit: 9) { runId } } }
}"""
_RE_EXECUTE = """mutation ($what: ReexecutionParams!) {
  launchPipelineReexecution(reexecutionParams: $what) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""
_STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("tlc")) as simulator:
        simulator.publish_zones()
        simulator.publish("green", JANUARY, rows=500)
        yield simulator


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, site: Simulator) -> Iterator[Stack]:
    """The servers, after a command ran January, and February, which is not published."""
    home = tmp_path_factory.mktemp("servers")
    ran = command(
        home, "run", "--datasets", "green", "--months", f"{JANUARY}:{FEBRUARY}",
        TAXI_TLC_URL=site.url,
    )  # fmt: skip
    assert ran.returncode == 1
    with Stack(home / ".taxi", site.url) as stack:
        yield stack


def runs(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.ask(_RUNS)["runsOrError"]["results"]
    for run in found:
        run["tags"] = {tag["key"]: tag["value"] for tag in run["tags"]}
    return found


def status(stack: Stack, run_id: str) -> str:
    found: str = stack.ask(_STATUS, {"id": run_id})["runOrError"]["status"]
    return found


def re_executed(stack: Stack, month: Month, strategy: str) -> str:
    """Re-execute the command's run of a month, as in the UI; returns the new run's id."""
    (parent,) = [
        run["runId"]
        for run in runs(stack)
        if run["tags"].get("dagster/partition") == str(month) and not run["parentRunId"]
    ]
    what = {"parentRunId": parent, "strategy": strategy}
    answer = stack.ask(_RE_EXECUTE, {"what": what})["launchPipelineReexecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id: str = answer["run"]["runId"]
    return run_id


def test_it_prints_its_url_and_no_warning(stack: Stack) -> None:
    wait_for(
        lambda: stack.url in stack.log.read_text().splitlines(),
        seconds=_TIMEOUT_SECONDS,
        what="the URL",
    )
    assert "supersede" not in stack.log.read_text().lower()


def test_it_listens_on_loopback_only(stack: Stack) -> None:
    addresses = {
        connection.laddr.ip
        for process in stack.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_a_home_has_one_ui_and_daemon(stack: Stack) -> None:
    for port in (stack.url.rpartition(":")[2], str(free_port())):
        second = command(stack.home.parent, "ui", "--port", port, TAXI_HOME=str(stack.home))
        assert second.returncode == 2
        (line,) = second.stderr.splitlines()
        assert f"The UI and daemon of {stack.home} are running already: {stack.url}" in line
        assert f"process {stack.process.pid}" in line


def test_the_commands_runs_belong_to_their_jobs(stack: Stack) -> None:
    commands = [run for run in runs(stack) if not run["parentRunId"]]
    assert [run["jobName"] for run in commands] == ["green_months", "green_months", "zones"]
    for run in commands:
        assert run["repositoryOrigin"] == {
            "repositoryName": "__repository__",
            "repositoryLocationName": LOCATION,
        }
    job = {
        "pipelineName": "green_months",
        "repositoryName": "__repository__",
        "repositoryLocationName": LOCATION,
    }
    of_job = stack.ask(_RUNS_OF_JOB, {"job": job})["pipelineOrError"]["runs"]
    assert {run["runId"] for run in of_job} >= {run["runId"] for run in commands[:2]}


def test_a_failed_run_of_a_command_is_re_executed_from_its_failure(
    stack: Stack, site: Simulator
) -> None:
    site.publish("green", FEBRUARY, rows=300)
    run_id = re_executed(stack, FEBRUARY, "FROM_FAILURE")
    wait_for(
        lambda: status(stack, run_id) == dg.DagsterRunStatus.SUCCESS.value,
        seconds=_TIMEOUT_SECONDS,
        what="the success of the re-executed run",
    )


def test_sigterm_stops_everything_and_a_run_in_progress_is_recorded_as_failed(
    stack: Stack, site: Simulator
) -> None:
    site.faults.stall(25, path="*/green_tripdata_2024-01.parquet")
    run_id = re_executed(stack, JANUARY, "ALL_STEPS")
    with dg.DagsterInstance.from_config(str(stack.home / "dagster")) as instance:
        wait_for(
            lambda: instance.event_log_storage.get_concurrency_info("tlc").active_run_ids,
            seconds=_TIMEOUT_SECONDS,
            what="the download of the re-executed run",
        )
        started = stack.processes()
        command_itself = stack.process
        stack.stop()
        assert command_itself.returncode == 0
        assert [each for each in started if _alive(each)] == []
        run = instance.get_run_by_id(run_id)
        assert run
        assert run.status is dg.DagsterRunStatus.FAILURE


def test_when_the_command_is_killed_its_servers_end_and_free_the_home(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from taxi_assets.servers import _only_servers_of, _running
server = ["python", "-c", "import time; time.sleep(600)"]
with _only_servers_of(Path(sys.argv[1]), "http://first") as lock:
    with _running([server, server], lock) as servers:
        print(*(each.pid for each in servers), flush=True)
        time.sleep(600)
"""
    started = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout
    servers = [psutil.Process(int(pid)) for pid in started.stdout.readline().split()]
    with (
        pytest.raises(Misconfigured, match="are running already: http://first, process"),
        _only_servers_of(tmp_path, "http://second"),
    ):
        pass
    started.kill()
    started.communicate()
    wait_for(
        lambda: not any(_alive(each) for each in servers),
        seconds=_TIMEOUT_SECONDS,
        what="the end of the servers",
    )
    with _only_servers_of(tmp_path, "http://second"):
        pass


@pytest.mark.parametrize("server", ["dagster-daemon", "dagster-webserver"])
def test_when_one_server_exits_the_other_is_stopped(
    tmp_path: Path, site: Simulator, server: str
) -> None:
    with Stack(tmp_path / "home", site.url) as stack:
        started = stack.processes()
        (one,) = [each for each in started if any(word.endswith(server) for word in each.cmdline())]
        one.send_signal(signal.SIGKILL)
        assert stack.process.wait(_TIMEOUT_SECONDS) == 1
        assert [each for each in started if _alive(each)] == []
        assert f"{server} exited unexpectedly" in stack.log.read_text()


def test_a_port_in_use_is_refused_in_one_line(tmp_path: Path, site: Simulator) -> None:
    port = site.url.rpartition(":")[2]
    refused = command(tmp_path, "ui", "--port", port)
    assert refused.returncode == 2
    (line,) = refused.stderr.strip().splitlines()
    assert f"Port {port}" in line
    assert "--port" in line


def _alive(process: psutil.Process) -> bool:
    """Whether it still runs; one that has ended and waits for its parent to ask does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
