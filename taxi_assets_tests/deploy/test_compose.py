"""compose.yaml follows the compose specification and has what the platform needs.

No Docker engine is used; if the docker client has the compose plugin, it validates the file too.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from taxi_assets.settings import SETTINGS
from taxi_assets_tests.deploy.files import DEPLOY, instructions, read_yaml

COMPOSE = DEPLOY / "compose.yaml"
# The keys used here, of https://github.com/compose-spec/compose-spec/blob/main/05-services.md.
SERVICE_KEYS = {
    "build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck",
    "image", "init", "logging", "mem_limit", "networks", "ports", "read_only", "restart",
    "security_opt", "stop_grace_period", "tmpfs", "volumes",
}  # fmt: skip
HEALTH_KEYS = {"test", "interval", "timeout", "start_period", "retries"}
DAGSTER = ("code", "daemon", "webserver")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return read_yaml(COMPOSE)


def test_it_uses_only_keys_of_the_specification(compose: dict[str, Any]) -> None:
    assert {key for key in compose if not key.startswith("x-")} == {
        "name", "services", "volumes", "networks",
    }  # fmt: skip
    for service in compose["services"].values():
        assert set(service) <= SERVICE_KEYS
        assert set(service.get("healthcheck", {})) <= HEALTH_KEYS


def test_everything_referred_to_is_declared(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service["networks"]) <= set(compose["networks"])
        assert {volume.split(":")[0] for volume in service["volumes"]} <= set(compose["volumes"])
        assert set(service.get("depends_on", {})) <= set(compose["services"])


def test_services_wait_only_for_services_with_a_health_check(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, wanted in service.get("depends_on", {}).items():
            assert wanted == {"condition": "service_healthy"}
            assert compose["services"][name]["healthcheck"]["test"][0] == "CMD"


def test_every_dagster_service_has_a_health_check(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*DAGSTER, "postgres"}
    of_the_image = [a for k, a in instructions(DEPLOY / "Dockerfile") if k == "HEALTHCHECK"]
    assert ":3000/server_info" in of_the_image[0]  # the web server's
    assert all("healthcheck" in compose["services"][name] for name in ("code", "daemon"))


def test_only_the_web_server_is_published_and_only_on_loopback(compose: dict[str, Any]) -> None:
    published = {
        name: each["ports"] for name, each in compose["services"].items() if "ports" in each
    }
    assert published == {"webserver": ["127.0.0.1:${TAXI_PORT:-3000}:3000"]}


@pytest.mark.parametrize("name", DAGSTER)
def test_dagster_runs_without_privileges(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/var/run/docker.sock" not in str(service)


def test_it_contains_no_password(compose: dict[str, Any]) -> None:
    passwords = re.findall(r"\w*PASSWORD\w*: (.+)", COMPOSE.read_text("utf-8"))
    assert passwords
    assert set(passwords) == {"${DAGSTER_POSTGRES_PASSWORD:?set it in deploy/.env}"}
    example = (DEPLOY / ".env.example").read_text("utf-8")
    assert re.search(r"^DAGSTER_POSTGRES_PASSWORD=$", example, re.MULTILINE)


def test_the_settings_in_the_example_exist() -> None:
    example = (DEPLOY / ".env.example").read_text("utf-8")
    named = set(re.findall(r"^#?(TAXI_\w+)=", example, re.MULTILINE))
    assert named
    assert named <= {setting.name for setting in SETTINGS}


def test_the_variables_and_hosts_of_instance_and_workspace_exist(compose: dict[str, Any]) -> None:
    variables = set(re.findall(r"env: (\w+)", (DEPLOY / "dagster.yaml").read_text("utf-8")))
    (server,) = read_yaml(DEPLOY / "workspace.yaml")["load_from"]
    assert server["grpc_server"]["host"] in compose["services"]
    for name in DAGSTER:
        assert variables <= set(compose["services"][name]["environment"])
    database = compose["services"]["postgres"]["environment"]
    ours = compose["services"]["code"]["environment"]
    for key in ("USER", "DB", "PASSWORD"):
        assert database[f"POSTGRES_{key}"] == ours[f"DAGSTER_POSTGRES_{key}"]


def test_docker_compose_accepts_it(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    plugin = [docker, "compose", "version"] if docker else ["false"]
    if subprocess.run(plugin, capture_output=True, check=False).returncode:
        pytest.skip("no docker client with the compose plugin")
    shutil.copy(COMPOSE, tmp_path / "compose.yaml")
    (tmp_path / ".env").write_text("DAGSTER_POSTGRES_PASSWORD=x\n")
    done = subprocess.run(
        [str(docker), "compose", "--file", tmp_path / "compose.yaml", "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
