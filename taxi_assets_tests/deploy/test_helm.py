"""The pods and the instance that the Helm values lead to."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from dagster_k8s import K8sRunLauncher

from taxi_assets_tests.deploy.files import DEPLOY, ROOT, fenced, instructions, read_yaml
from taxi_assets_tests.deploy.helm import VALUES, job_of, launcher_of, pod_of


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return read_yaml(VALUES)


@pytest.fixture
def launcher(values: dict[str, Any], tmp_path: Path) -> K8sRunLauncher:
    return launcher_of(values, tmp_path)


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"] if each.get("value")}


def test_the_chart_has_the_version_of_the_locked_dagster() -> None:
    locked = re.search(r"^dagster==([\d.]+)", (ROOT / "requirements.lock").read_text(), re.M)
    assert locked
    for page in (ROOT / "docs" / "cluster.md", VALUES.with_name("README.md")):
        assert f"--version {locked[1]}" in page.read_text("utf-8")


def test_a_run_acts_as_the_runner_and_not_as_dagster(
    values: dict[str, Any], launcher: K8sRunLauncher
) -> None:
    runner = values["dagster-user-deployments"]["serviceAccount"]["name"]
    assert runner != values["serviceAccount"]["name"]
    assert pod_of(launcher, {})["serviceAccountName"] == runner


def test_a_run_is_not_root_and_writes_only_to_its_volumes(launcher: K8sRunLauncher) -> None:
    pod = pod_of(launcher, {})
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {"/var/lib/taxi", "/tmp"} <= mounts


def test_scaling_down_the_cluster_does_not_evict_a_run(launcher: K8sRunLauncher) -> None:
    metadata = job_of(launcher, {})["spec"]["template"]["metadata"]
    evict = metadata["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"]
    assert evict == "false"  # Dagster turns an unquoted false into "False", which means nothing


def test_a_run_has_the_settings_of_the_code_server(
    values: dict[str, Any], launcher: K8sRunLauncher
) -> None:
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    (container,) = pod_of(launcher, {})["containers"]
    wanted = {each["name"]: each["value"] for each in deployment["env"]}
    assert wanted.items() <= environment(container).items()
    secrets = [source.get("secretRef") for source in container["envFrom"]]
    assert [each["name"] for each in secrets if each] == ["taxi-secrets"]


def test_a_run_without_tags_has_memory_for_the_largest_dataset(launcher: K8sRunLauncher) -> None:
    (container,) = pod_of(launcher, {})["containers"]
    assert container["resources"]["limits"]["memory"] == "2Gi"


def test_the_documented_tag_changes_only_the_memory_of_a_run(
    launcher: K8sRunLauncher,
) -> None:
    (block,) = fenced(VALUES.with_name("README.md"), "json")
    plain, tagged = (
        pod_of(launcher, {}),
        pod_of(launcher, {"dagster-k8s/config": json.dumps(json.loads(block))}),
    )
    assert tagged["containers"][0]["resources"]["limits"]["memory"] == "1Gi"
    assert tagged["containers"][0]["resources"]["requests"]["cpu"] == "1"
    for pod in (plain, tagged):
        pod["containers"][0].pop("resources")
        pod["containers"][0]["env"] = environment(pod["containers"][0])
    assert tagged == plain


def test_the_code_server_has_the_instance_of_the_other_servers_for_check(
    values: dict[str, Any],
) -> None:
    page = (ROOT / "docs" / "cluster.md").read_text("utf-8")
    (release,) = re.findall(r"^helm upgrade --install (\w+) dagster/dagster ", page, re.M)
    (code,) = values["dagster-user-deployments"]["deployments"]
    (volume,) = [each for each in code["volumes"] if "configMap" in each]
    (mount,) = [each for each in code["volumeMounts"] if each["name"] == volume["name"]]
    assert volume["configMap"]["name"] == f"{release}-dagster-instance"
    environment = " ".join(a for k, a in instructions(DEPLOY / "Dockerfile") if k == "ENV")
    (home,) = re.findall(r"DAGSTER_HOME=(\S+)", environment)
    assert mount["mountPath"] == f"{home}/{mount['subPath']}" == f"{home}/dagster.yaml"


def test_it_contains_no_password(values: dict[str, Any]) -> None:
    assert values["generatePostgresqlPasswordSecret"] is False
    assert "postgresqlPassword" not in values["postgresql"]
