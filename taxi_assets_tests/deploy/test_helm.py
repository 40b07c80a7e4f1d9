"""The Helm values, and the pod of a run that Dagster's own Kubernetes code makes of them.

Helm is not available, so the chart is not rendered. The values' keys are compared with the keys
below, copied from the schema of the chart 1.13.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.utils import make_new_run_id
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import construct_dagster_k8s_job

from taxi_assets_tests.deploy.files import DEPLOY, ROOT, fenced, read_yaml

VALUES = DEPLOY / "helm" / "values.yaml"
# helm/dagster/schema of dagster-io/dagster.
CHART = {
    "additionalInstanceConfig", "computeLogManager", "concurrency", "dagster-user-deployments",
    "dagsterDaemon", "dagsterWebserver", "extraManifests", "flower",
    "generatePostgresqlPasswordSecret", "global", "ingress", "migrate", "postgresql", "pythonLogs",
    "rabbitmq", "redis", "retention", "runLauncher", "scheduler", "serviceAccount", "telemetry",
}  # fmt: skip
LAUNCHER = {
    "envConfigMaps", "envSecrets", "envVars", "failPodOnRunFailure", "image", "imagePullPolicy",
    "jobNamespace", "kubeconfigFile", "labels", "loadInclusterConfig", "resources", "runK8sConfig",
    "schedulerName", "securityContext", "volumeMounts", "volumes",
}  # fmt: skip
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "none",
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "none", "user": {}}],
}


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return read_yaml(VALUES)


@pytest.fixture
def launcher(values: dict[str, Any], tmp_path: Path) -> K8sRunLauncher:
    """The launcher that the chart configures, with a cluster that is never contacted."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(KUBECONFIG))
    given = values["runLauncher"]["config"]["k8sRunLauncher"]
    config = {
        "load_incluster_config": False,
        "kubeconfig_file": str(kubeconfig),
        "dagster_home": "/opt/dagster/dagster_home",
        "instance_config_map": "taxi-dagster-instance",
        "job_image": "taxi-assets:0.1.0",
        "service_account_name": values["serviceAccount"]["name"],
        "image_pull_policy": given["imagePullPolicy"],
        "env_secrets": [secret["name"] for secret in given["envSecrets"]],
        "volumes": given["volumes"],
        "volume_mounts": given["volumeMounts"],
        "security_context": given["securityContext"],
        "fail_pod_on_run_failure": given["failPodOnRunFailure"],
        "run_k8s_config": {_snake(key): each for key, each in given["runK8sConfig"].items()},
    }
    schema = K8sRunLauncher.config_type()  # type: ignore[no-untyped-call]  # untyped in Dagster
    processed = process_config(schema, config)
    assert processed.success, processed.errors
    assert processed.value is not None
    return K8sRunLauncher(**processed.value)


def pod_of(launcher: K8sRunLauncher, tags: dict[str, str]) -> dict[str, Any]:
    """The pod specification of a run with those tags."""
    run = DagsterRun(job_name="green_months", run_id=make_new_run_id(), tags=tags)
    context = launcher.get_container_context_for_run(run)
    job = construct_dagster_k8s_job(
        context.get_k8s_job_config("taxi-assets:0.1.0", launcher),
        args=["dagster", "api", "execute_run"],
        job_name="run",
        user_defined_k8s_config=context.run_k8s_config,
    )
    spec: dict[str, Any] = job.to_dict()["spec"]["template"]["spec"]
    return spec


def test_its_keys_exist_in_the_chart(values: dict[str, Any]) -> None:
    assert set(values) <= CHART
    assert set(values["runLauncher"]["config"]["k8sRunLauncher"]) <= LAUNCHER


def test_the_chart_has_the_version_of_the_locked_dagster() -> None:
    locked = re.search(r"^dagster==([\d.]+)", (ROOT / "requirements.lock").read_text(), re.M)
    assert locked
    for page in (VALUES, VALUES.with_name("README.md")):
        assert f"--version {locked[1]}" in page.read_text("utf-8")


def test_a_run_acts_as_the_runner_and_not_as_dagster(
    values: dict[str, Any], launcher: K8sRunLauncher
) -> None:
    runner = values["dagster-user-deployments"]["serviceAccount"]["name"]
    assert runner != values["serviceAccount"]["name"]
    assert pod_of(launcher, {})["service_account_name"] == runner


def test_a_run_is_not_root_and_writes_only_to_its_volumes(launcher: K8sRunLauncher) -> None:
    pod = pod_of(launcher, {})
    (container,) = pod["containers"]
    assert pod["security_context"]["run_as_non_root"] is True
    assert pod["security_context"]["run_as_user"] == 10001
    assert container["security_context"]["read_only_root_filesystem"] is True
    mounts = {mount["mount_path"] for mount in container["volume_mounts"]}
    assert {"/var/lib/taxi", "/tmp"} <= mounts


def test_a_run_has_the_settings_of_the_code_server(
    values: dict[str, Any], launcher: K8sRunLauncher
) -> None:
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    (container,) = pod_of(launcher, {})["containers"]
    set_here = {each["name"]: each["value"] for each in container["env"] if each["value"]}
    wanted = {each["name"]: each["value"] for each in deployment["env"]}
    assert wanted.items() <= set_here.items()
    secrets = [source["secret_ref"] for source in container["env_from"]]
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
        pod["containers"][0]["env"] = [e for e in pod["containers"][0]["env"] if e["value"]]
    assert tagged == plain


def test_dagster_accepts_its_limits_and_retries(values: dict[str, Any], tmp_path: Path) -> None:
    daemon = values["dagsterDaemon"]
    instance = {
        "concurrency": {key: _snakes(values["concurrency"][key]) for key in ("runs", "pools")},
        "run_retries": _snakes(daemon["runRetries"]),
        "run_monitoring": _snakes(daemon["runMonitoring"]),
        "retention": {key: _snakes(values["retention"][key]) for key in ("schedule", "sensor")},
        "sensors": _snakes(daemon["sensors"]),
        "schedules": _snakes(daemon["schedules"]),
        "telemetry": values["telemetry"],
        **values["additionalInstanceConfig"],
    }
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(instance))
    config, _ = dagster_instance_config(str(tmp_path))
    assert config["run_retries"]["retry_on_asset_or_op_failure"] is False
    runs = config["concurrency"]["runs"]
    (backfills,) = runs["tag_concurrency_limits"]
    assert backfills["limit"] < runs["max_concurrent_runs"]


def test_it_contains_no_password(values: dict[str, Any]) -> None:
    assert values["generatePostgresqlPasswordSecret"] is False
    assert "postgresqlPassword" not in values["postgresql"]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _snakes(mapping: dict[str, Any]) -> dict[str, Any]:
    return {
        _snake(key): _snakes(each) if isinstance(each, dict) else _lists(each)
        for key, each in mapping.items()
    }


def _lists(each: Any) -> Any:
    return [_snakes(item) for item in each] if isinstance(each, list) else each
