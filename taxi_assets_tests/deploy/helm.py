"""The Helm values, and what Dagster's own Kubernetes code makes of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from dagster._config import process_config
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.utils import make_new_run_id
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import construct_dagster_k8s_job
from kubernetes.client import ApiClient

from taxi_assets_tests.deploy.files import DEPLOY

__all__ = ["VALUES", "accepted", "job_of", "launcher_of", "pod_of", "snakes"]

VALUES = DEPLOY / "helm" / "values.yaml"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "none",
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "none", "user": {}}],
}


def launcher_of(values: dict[str, Any], folder: Path) -> K8sRunLauncher:
    """The launcher that the chart configures, with a cluster that is never contacted."""
    kubeconfig = folder / "kubeconfig"
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
    return K8sRunLauncher(**accepted(schema, config))


def accepted(schema: Any, config: dict[str, Any]) -> dict[str, Any]:
    """``config`` with defaults, if Dagster's schema of a class accepts it."""
    processed = process_config(schema, config)
    assert processed.success, processed.errors
    assert processed.value is not None
    return dict(processed.value)


def job_of(launcher: K8sRunLauncher, tags: dict[str, str]) -> dict[str, Any]:
    """The Kubernetes job of a run with those tags, as it is posted."""
    run = DagsterRun(job_name="green_months", run_id=make_new_run_id(), tags=tags)
    context = launcher.get_container_context_for_run(run)
    job = construct_dagster_k8s_job(
        context.get_k8s_job_config("taxi-assets:0.1.0", launcher),
        args=["dagster", "api", "execute_run"],
        job_name="run",
        user_defined_k8s_config=context.run_k8s_config,
    )
    posted: dict[str, Any] = ApiClient().sanitize_for_serialization(job)
    return posted


def pod_of(launcher: K8sRunLauncher, tags: dict[str, str]) -> dict[str, Any]:
    """The pod specification of a run with those tags."""
    spec: dict[str, Any] = job_of(launcher, tags)["spec"]["template"]["spec"]
    return spec


def snakes(mapping: dict[str, Any]) -> dict[str, Any]:
    """Keys of the chart as Dagster's: ``maxRetries`` becomes ``max_retries``."""
    return {
        _snake(key): snakes(each) if isinstance(each, dict) else _lists(each)
        for key, each in mapping.items()
    }


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _lists(each: Any) -> Any:
    return [snakes(item) for item in each] if isinstance(each, list) else each
