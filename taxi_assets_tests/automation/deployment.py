"""A deployment on loopback: the real code server, webserver and daemon, driven over GraphQL."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from dagster._grpc.client import DagsterGrpcClient

from taxi_assets_tests.emulators.server import answers_http, free_port, serving

_LOCATION = "taxi_assets"
_TIMEOUT_SECONDS = 120.0
# Each request takes CPU time from the runs.
_POLL_SECONDS = 0.5
_SHIPPED = Path(__file__).parents[2] / "taxi_assets" / "instance" / "dagster.yaml"

_START = """
mutation($sensor: SensorSelector!) {
  startSensor(sensorSelector: $sensor) { __typename ... on PythonError { message } }
}"""
_TICKS = """
query($sensor: SensorSelector!) {
  sensorOrError(sensorSelector: $sensor) {
    ... on Sensor {
      sensorState { ticks(limit: 50) { status skipReason timestamp error { message } } }
    }
  }
}"""
_RUNS = """
query { runsOrError { ... on Runs { results {
    runId status startTime endTime tags { key value }
} } } }
"""
_OBSERVED = """
query($key: AssetKeyInput!) {
  assetOrError(assetKey: $key) {
    ... on Asset { assetObservations { partition tags { key value } } }
  }
}"""

Found = TypeVar("Found")


class Deployment:
    """The processes, with their files in ``folder`` and ``settings`` in their environment."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        home = folder / "dagster"
        home.mkdir(parents=True)
        (home / "dagster.yaml").write_bytes(_SHIPPED.read_bytes())
        self._environment = {**settings, "DAGSTER_HOME": str(home)}
        self._port, self._code_port = free_port(), free_port()
        self._workspace = folder / "workspace.yaml"
        self._workspace.write_text(
            f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {self._code_port}, "
            f"location_name: {_LOCATION}}}\n"
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the code server and the webserver."""
        code = ["api", "grpc", "-h", "127.0.0.1", "-p", str(self._code_port)]
        code += ["-m", "taxi_assets.definitions", "--location-name", _LOCATION]
        web = ["-h", "127.0.0.1", "-p", str(self._port), "-w", str(self._workspace)]
        with (
            self._serving("code", [_command("dagster"), *code], self._code_is_served),
            self._serving(
                "web",
                [_command("dagster-webserver"), *web],
                lambda: answers_http(self._port, "/server_info"),
            ),
        ):
            yield

    def daemon(self) -> AbstractContextManager[None]:
        """Run the daemon during the block."""
        command = [_command("dagster-daemon"), "run", "-w", str(self._workspace)]
        return self._serving("daemon", command, lambda: True)

    def start_sensor(self, name: str) -> None:
        """Switch a sensor on, as its page in the UI does."""
        answer = self.ask(_START, sensor=_sensor(name))["startSensor"]
        assert answer["__typename"] == "Sensor", answer

    def ticks(self, sensor: str) -> list[dict[str, Any]]:
        """The sensor's latest ticks, newest first."""
        answer = self.ask(_TICKS, sensor=_sensor(sensor))
        return list(answer["sensorOrError"]["sensorState"]["ticks"])

    def runs(self) -> list[dict[str, Any]]:
        """All runs, newest first: ``runId``, ``status``, times, and ``tags`` as a mapping."""
        results = self.ask(_RUNS)["runsOrError"]["results"]
        return [{**run, "tags": {t["key"]: t["value"] for t in run["tags"]}} for run in results]

    def observations(self, *key: str) -> list[tuple[str, str]]:
        """Partition and data version of an asset's observations, newest first."""
        found = self.ask(_OBSERVED, key={"path": list(key)})["assetOrError"]["assetObservations"]
        return [
            (each["partition"], tag["value"])
            for each in found
            for tag in each["tags"]
            if tag["key"] == "dagster/data_version"
        ]

    def ask(self, query: str, **variables: Any) -> Any:
        """The ``data`` of a GraphQL query."""
        answer = httpx.post(
            f"http://127.0.0.1:{self._port}/graphql",
            json={"query": query, "variables": variables},
            timeout=30,
            trust_env=False,
        ).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def logs(self) -> str:
        """The end of every process's log."""
        logs = sorted(self._folder.glob("*/server.log"))
        return "\n".join(f"--- {log.parent.name}\n{log.read_text()[-3000:]}" for log in logs)

    def _code_is_served(self) -> bool:
        if not answers(self._code_port):
            return False  # the client below would log a long error
        client = DagsterGrpcClient(port=self._code_port, host="127.0.0.1")
        status: str = client.health_check_query()  # type: ignore[no-untyped-call]  # untyped in Dagster
        return status == "SERVING"

    def _serving(
        self, name: str, command: list[str], ready: Callable[[], bool]
    ) -> AbstractContextManager[None]:
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        return serving(command, ready=ready, folder=folder, environment=self._environment)


def until(found: Callable[[], Found | None], what: str, deployment: Deployment) -> Found:
    """Wait until ``found`` returns something; fails with the logs after two minutes."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if it := found():
            return it
        time.sleep(_POLL_SECONDS)
    raise AssertionError(f"no {what} in {_TIMEOUT_SECONDS:.0f} seconds\n{deployment.logs()}")


def answers(port: int) -> bool:
    """Whether a process listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _sensor(name: str) -> dict[str, str]:
    return {
        "sensorName": name,
        "repositoryName": "__repository__",
        "repositoryLocationName": _LOCATION,
    }


def _command(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
