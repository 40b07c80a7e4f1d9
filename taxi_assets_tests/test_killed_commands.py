"""How a command treats the runs of commands that were killed or are still running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from taxi_assets.dagster_names import PARTITION_TAG, WILL_RETRY_TAG
from taxi_assets.datasets import Month
from taxi_assets.locks import COMMAND_TAG, command_lock, report_killed
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.test_commands import command, environment, records
from taxi_assets_tests.ui.stack import wait_for

_TIMEOUT_SECONDS = 60.0
_STALLED_SECONDS = 20.0  # less than the client's timeout

# Locks its file, prints its name, and waits to be killed.
_LOCKS = """
import sys, pathlib
from taxi_assets.locks import command_lock
with command_lock(pathlib.Path(sys.argv[1])) as name:
    print(name, flush=True)
    sys.stdin.read()
"""


@contextmanager
def running_command(
    home: Path, tlc: Simulator, instance: dg.DagsterInstance, months: str = "2024-01"
) -> Iterator[subprocess.Popen[str]]:
    """A command that runs green and waits for TLC's answer for 2024-01."""
    tlc.faults.stall(_STALLED_SECONDS, path="*/green_tripdata_2024-01.parquet")
    process = subprocess.Popen(
        [sys.executable, "-m", "taxi_assets", "run", "--datasets", "green", "--months", months],
        env=environment(home, TAXI_TLC_URL=tlc.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    job = "green_months"
    try:
        wait_for(
            lambda: holders(instance, "tlc") & {run.run_id for run in runs_of(instance, job)},
            seconds=_TIMEOUT_SECONDS,
            what="the month's download",
        )
        yield process
    finally:
        process.kill()
        process.communicate()


def runs_of(instance: dg.DagsterInstance, job: str) -> Sequence[dg.DagsterRun]:
    return instance.get_runs(dg.RunsFilter(job_name=job))


def run_of(instance: dg.DagsterInstance, job: str) -> dg.DagsterRun:
    (run,) = runs_of(instance, job)
    return run


def holders(instance: dg.DagsterInstance, pool: str) -> set[str]:
    return set(instance.event_log_storage.get_concurrency_info(pool).active_run_ids)


@pytest.fixture
def published(tlc: Simulator) -> Simulator:
    tlc.publish_zones()
    for dataset in ("green", "yellow"):
        tlc.publish(dataset, Month(2024, 1), rows=100)
    return tlc


def test_a_killed_commands_run_is_reported_failed_and_its_pool_slot_is_free(
    tmp_path: Path, published: Simulator
) -> None:
    with (
        records(tmp_path) as instance,
        running_command(tmp_path, published, instance) as killed,
    ):
        run = run_of(instance, "green_months")
        killed.kill()
        killed.wait()
        assert run_of(instance, "green_months").status is dg.DagsterRunStatus.STARTED
        assert holders(instance, "tlc") == {run.run_id}
        after = command(
            tmp_path, "run", "--datasets", "yellow", "--months", "2024-01",
            TAXI_TLC_URL=published.url,
        )  # fmt: skip
        assert after.returncode == 0, after.stderr
        assert f"Reported run {run.run_id} (green_months 2024-01) of a killed" in after.stdout
        assert run_of(instance, "green_months").status is dg.DagsterRunStatus.FAILURE
        assert holders(instance, "tlc") == set()
        assert list((tmp_path / ".taxi" / "commands").iterdir()) == []


def test_the_run_of_a_running_command_is_not_touched(tmp_path: Path, published: Simulator) -> None:
    with (
        records(tmp_path) as instance,
        running_command(tmp_path, published, instance),
    ):
        other = command(
            tmp_path, "run", "--datasets", "yellow", "--months", "2024-01",
            TAXI_TLC_URL=published.url,
        )  # fmt: skip
        assert other.returncode == 0, other.stderr
        assert "Reported run" not in other.stdout
        # It may have ended by itself.
        alive = {dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.SUCCESS}
        assert run_of(instance, "green_months").status in alive


def test_ctrl_c_ends_the_command_and_is_recorded_with_the_run(
    tmp_path: Path, published: Simulator
) -> None:
    with (
        records(tmp_path) as instance,
        running_command(tmp_path, published, instance, "2024-01:2024-02") as stopped,
    ):
        stopped.send_signal(signal.SIGINT)
        stdout, stderr = stopped.communicate(timeout=_TIMEOUT_SECONDS)
        assert stopped.returncode == 130
        assert "[2/2]" not in stdout
        assert "Traceback" not in stderr
        run = run_of(instance, "green_months")
        assert run.status is dg.DagsterRunStatus.FAILURE
        assert run.tags[WILL_RETRY_TAG] == "false", "a stopped run is not retried"
        assert holders(instance, "tlc") == set()


@contextmanager
def killed_process(folder: Path) -> Iterator[tuple[str, int]]:
    """A killed command: the name of its lock and its process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", _LOCKS, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    name = process.stdout.readline().strip()
    process.kill()
    process.communicate()
    yield name, process.pid


def started(
    instance: dg.DagsterInstance, tags: dict[str, str], parent: str | None = None
) -> dg.DagsterRun:
    return instance.add_run(
        dg.DagsterRun(
            job_name="green_months",
            run_id=str(uuid.uuid4()),
            status=dg.DagsterRunStatus.STARTED,
            tags={PARTITION_TAG: "2024-01", **tags},
            parent_run_id=parent,
            root_run_id=parent,
        )
    )


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found
    return found.status


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_a_reused_process_id_does_not_keep_the_run_of_a_killed_command(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with killed_process(tmp_path) as (name, pid), process_with_id(pid):
        run = started(instance, {COMMAND_TAG: name})
        assert [each.run_id for each in report_killed(tmp_path, instance)] == [run.run_id]
        assert status(instance, run) is dg.DagsterRunStatus.FAILURE


@contextmanager
def process_with_id(wanted: int) -> Iterator[None]:
    """A process with a given unused id."""
    last = Path("/proc/sys/kernel/ns_last_pid")
    for _ in range(50):  # another process may take the id first
        try:
            last.write_text(str(wanted - 1))
        except OSError:
            pytest.skip("this kernel does not allow choosing a process id")
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        if process.pid == wanted:
            break
        process.kill()
        process.communicate()
    else:
        pytest.skip(f"process id {wanted} was taken by another process")
    os.kill(wanted, 0)
    yield
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_run_is_reported_once_and_its_file_removed(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with killed_process(tmp_path) as (name, _):
        started(instance, {COMMAND_TAG: name})
        assert len(report_killed(tmp_path, instance)) == 1
        assert report_killed(tmp_path, instance) == []
        assert list(tmp_path.iterdir()) == []


def test_runs_of_this_process_and_of_another_host_are_not_touched(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    elsewhere = "another-host-0123456789abcdef"
    (tmp_path / elsewhere).touch()
    with command_lock(tmp_path) as name:
        runs = [started(instance, {COMMAND_TAG: each}) for each in (name, elsewhere)]
        assert report_killed(tmp_path, instance) == []
        assert {status(instance, run) for run in runs} == {dg.DagsterRunStatus.STARTED}
    assert [each.name for each in tmp_path.iterdir()] == [elsewhere]


def test_a_run_re_executed_in_the_ui_does_not_belong_to_the_killed_command(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with killed_process(tmp_path) as (name, _):
        parent = started(instance, {COMMAND_TAG: name})
        # A re-execution has its parent's tags.
        again = started(instance, {COMMAND_TAG: name}, parent.run_id)
        assert [each.run_id for each in report_killed(tmp_path, instance)] == [parent.run_id]
        assert status(instance, again) is dg.DagsterRunStatus.STARTED
