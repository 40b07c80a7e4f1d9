"""dagster.yaml with a real PostgreSQL: Dagster accepts it and the three servers become healthy."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
import yaml
from dagster import DagsterInstance
from dagster._core.instance.config import dagster_instance_config
from dagster._core.storage.dagster_run import DagsterRunStatus
from dagster_gcp.gcs import GCSComputeLogManager

from taxi_assets_tests.deploy.files import DEPLOY, DOCS, fenced, read_yaml
from taxi_assets_tests.emulators.postgres import Postgres
from taxi_assets_tests.emulators.server import HOST, free_port

BIN = Path(sys.executable).parent
TIMEOUT_SECONDS = 90


@pytest.fixture
def home(
    tmp_path: Path, postgres_emulator: Postgres, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A DAGSTER_HOME with the shipped files and a database of its own.

    The container's folder /var/lib/taxi is ``tmp_path/taxi``.
    """
    database = f"dagster_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_emulator.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}")
    folder = tmp_path / "home"
    folder.mkdir()
    text = (DEPLOY / "dagster.yaml").read_text("utf-8")
    # dagster.yaml has no port, because PostgreSQL in the compose network has the default one.
    text = text.replace(
        "    postgres_db:\n", f"    postgres_db:\n      port: {postgres_emulator.port}\n"
    )
    text = text.replace("/var/lib/taxi", str(tmp_path / "taxi"))
    (folder / "dagster.yaml").write_text(text)
    for name, value in {
        "DAGSTER_HOME": str(folder),
        "DAGSTER_POSTGRES_HOST": HOST,
        "DAGSTER_POSTGRES_USER": postgres_emulator.user,
        "DAGSTER_POSTGRES_PASSWORD": "not required",
        "DAGSTER_POSTGRES_DB": database,
        "TAXI_HOME": str(tmp_path / "taxi"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }.items():
        monkeypatch.setenv(name, value)
    yield folder
    with psycopg.connect(postgres_emulator.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)")


def test_dagster_opens_the_instance_and_records_a_run_in_postgres(home: Path) -> None:
    @dg.asset
    def counted() -> int:
        return 1

    with DagsterInstance.from_config(str(home)) as instance:
        result = dg.materialize(
            [counted], instance=instance, resources={"io_manager": dg.mem_io_manager}
        )
        assert result.success
        assert instance.get_run_by_id(result.run_id).status is DagsterRunStatus.SUCCESS  # type: ignore[union-attr]  # it exists

        assert instance.run_retries_enabled
        assert instance.run_retries_max_retries == 2
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert instance.run_monitoring_enabled
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
        assert not instance.telemetry_enabled
    database = os.environ["DAGSTER_POSTGRES_DB"]
    port = yaml.safe_load((home / "dagster.yaml").read_text())["storage"]["postgres"]
    with psycopg.connect(
        host=HOST, port=port["postgres_db"]["port"], user="postgres", dbname=database
    ) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    assert not list(home.glob("**/*.db")), "records must not be in files"


def test_the_three_servers_of_the_image_become_healthy(home: Path) -> None:
    code, web = str(free_port()), str(free_port())
    (home / "workspace.yaml").write_text(
        (DEPLOY / "workspace.yaml").read_text().replace("host: code", f"host: {HOST}")
        .replace("port: 4000", f"port: {code}")
    )  # fmt: skip
    checks = read_yaml(DEPLOY / "compose.yaml")["services"]
    code_is_healthy = [w.replace("4000", code) for w in checks["code"]["healthcheck"]["test"][1:]]
    daemon_is_healthy = checks["daemon"]["healthcheck"]["test"][1:]
    with ExitStack() as running:
        running.enter_context(_serving(home, "code", "--host", HOST, "--port", code))
        _wait(home, lambda: _listens(int(code)))
        running.enter_context(_serving(home, "daemon"))
        running.enter_context(
            _serving(home, "webserver", "--host", HOST, "--port", web, "--read-only")
        )
        _wait(home, lambda: _status(int(web), "GET", "/server_info") == 200)
        _wait(home, lambda: _daemons_are_healthy(int(web)))
        assert _succeeds(code_is_healthy)
        assert _succeeds(daemon_is_healthy)
        assert _query(int(web), _LOCATIONS)["workspaceOrError"]["locationEntries"] == [
            {"name": "taxi_assets", "locationOrLoadError": {"__typename": "RepositoryLocation"}}
        ]


def test_dagster_accepts_the_documented_block_for_logs_on_cloud_storage(
    tmp_path: Path,
) -> None:
    blocks = [yaml.safe_load(block) for block in fenced(DOCS / "gcp.md", "yaml")]
    (block,) = [each for each in blocks if isinstance(each, dict) and "compute_logs" in each]
    shipped = read_yaml(DEPLOY / "dagster.yaml")
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump({**shipped, **block}))
    config, _ = dagster_instance_config(str(tmp_path))
    chosen = config["compute_logs"]
    assert (chosen["module"], chosen["class"]) == ("dagster_gcp.gcs", GCSComputeLogManager.__name__)
    known = GCSComputeLogManager.config_type()  # type: ignore[no-untyped-call]  # untyped in Dagster
    assert set(chosen["config"]) <= set(known)


@contextmanager
def _serving(home: Path, *arguments: str) -> Iterator[None]:
    log = home / f"{arguments[0]}.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [shutil.which("sh") or "sh", DEPLOY / "entrypoint.sh", *arguments],
            cwd=home,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(home: Path, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not done():
        if time.monotonic() > deadline:
            logs = [f"{log.name}:\n{log.read_text()[-2000:]}" for log in home.glob("*.log")]
            pytest.fail("not healthy in time\n" + "\n".join(logs))
        time.sleep(0.2)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


_LOCATIONS = (
    "{workspaceOrError{...on Workspace{locationEntries{name locationOrLoadError{__typename}}}}}"
)
_DAEMONS = "{instance{daemonHealth{allDaemonStatuses{required healthy}}}}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _status(port: int, method: str, path: str) -> int:
    with closing(http.client.HTTPConnection(HOST, port, timeout=10)) as connection:
        try:
            connection.request(method, path)
            return connection.getresponse().status
        except OSError:
            return 0


def _daemons_are_healthy(port: int) -> bool:
    daemons = _query(port, _DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    return all(each["healthy"] for each in daemons if each["required"])


def _query(port: int, query: str) -> Any:
    with closing(http.client.HTTPConnection(HOST, port, timeout=30)) as connection:
        body = json.dumps({"query": query})
        connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())["data"]
