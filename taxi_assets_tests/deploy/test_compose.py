"""compose.yaml follows the compose specification and has what the platform needs.

No Docker engine is used; if the docker client has the compose plugin, it validates the file too.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from taxi_assets.settings import SETTINGS
from taxi_assets_tests.deploy.files import DEPLOY, DOCS, fenced, instructions, read_yaml

COMPOSE = DEPLOY / "compose.yaml"
DAGSTER = ("code", "daemon", "webserver")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return read_yaml(COMPOSE)


def test_it_follows_the_specification() -> None:
    assert follows_the_specification(COMPOSE)


def test_the_documented_overrides_follow_the_specification(tmp_path: Path) -> None:
    blocks = [block for block in fenced(DOCS / "operations.md", "yaml") if "services:" in block]
    assert len(blocks) == 2
    for number, block in enumerate(blocks):
        override = tmp_path / f"{number}.yaml"
        override.write_text(block.replace("!reset []", "[]"))  # a tag of compose, not of YAML
        assert follows_the_specification(override)


def test_a_misspelled_key_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text("utf-8").replace("mem_limit:", "memory_limit:"))
    assert not follows_the_specification(wrong)


def follows_the_specification(file: Path) -> bool:
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    return done.returncode == 0


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
