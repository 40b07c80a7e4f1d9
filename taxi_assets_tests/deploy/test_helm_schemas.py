"""The Helm values against the schemas of the chart, of Kubernetes and of Dagster.

Helm is not available, so the chart is not rendered: its keys are compared with those below, read
from ``helm/dagster/schema`` of dagster-io/dagster, and the parts that the chart copies into pods
are put into a deployment of its form.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config
from dagster_gcp.gcs import GCSComputeLogManager
from dagster_postgres.run_storage import PostgresRunStorage

from taxi_assets.automation.jobs import months_job
from taxi_assets.datasets import DATASETS
from taxi_assets_tests.deploy.files import fenced, read_yaml
from taxi_assets_tests.deploy.helm import VALUES, accepted, job_of, launcher_of, snakes

KUBERNETES = "1.34"
POD = {
    "affinity", "annotations", "env", "envConfigMaps", "envSecrets", "image", "labels",
    "livenessProbe", "nodeSelector", "podSecurityContext", "readinessProbe", "resources",
    "schedulerName", "securityContext", "startupProbe", "tolerations", "volumeMounts", "volumes",
}  # fmt: skip
SERVER = POD | {
    "checkDbReadyInitContainer", "deploymentLabels", "extraContainers",
    "extraPrependedInitContainers", "initContainerResources",
}  # fmt: skip
# The keys that the chart accepts, by the path of the mapping.
CHART = {
    (): {
        "additionalInstanceConfig", "busybox", "computeLogManager", "concurrency",
        "dagster-user-deployments", "dagsterDaemon", "dagsterWebserver", "extraManifests", "flower",
        "generateCeleryConfigSecret", "generatePostgresqlPasswordSecret", "global",
        "imagePullSecrets", "ingress", "migrate", "postgresql", "pythonLogs", "rabbitmq", "redis",
        "retention", "runLauncher", "scheduler", "serviceAccount", "telemetry",
    },
    ("runLauncher", "config", "k8sRunLauncher"): {
        "envConfigMaps", "envSecrets", "envVars", "failPodOnRunFailure", "image", "imagePullPolicy",
        "jobNamespace", "kubeconfigFile", "labels", "loadInclusterConfig", "resources",
        "runK8sConfig", "schedulerName", "securityContext", "volumeMounts", "volumes",
    },
    ("runLauncher", "config", "k8sRunLauncher", "runK8sConfig"): {
        "containerConfig", "jobMetadata", "jobSpecConfig", "podSpecConfig",
        "podTemplateSpecMetadata",
    },
    ("dagster-user-deployments",): {
        "deployments", "enableSubchart", "enabled", "imagePullSecrets", "serviceAccount",
    },
    ("dagsterDaemon",): SERVER | {
        "backfills", "enabled", "heartbeatTolerance", "logFormat", "runCoordinator",
        "runMonitoring", "runRetries", "schedules", "sensors",
    },
    ("dagsterDaemon", "runRetries"): {"enabled", "maxRetries", "retryOnAssetOrOpFailure"},
    ("dagsterDaemon", "runCoordinator", "config", "queuedRunCoordinator"): {
        "blockOpConcurrencyLimitedRuns", "dequeueIntervalSeconds", "dequeueNumWorkers",
        "dequeueUseThreads", "maxConcurrentRuns", "tagConcurrencyLimits",
    },
    ("dagsterWebserver",): SERVER | {
        "dbPoolRecycle", "dbStatementTimeout", "enableReadOnly", "logLevel", "nameOverride",
        "pathPrefix", "replicaCount", "service", "workspace",
    },
    ("dagsterWebserver", "workspace"): {"enabled", "externalConfigmap", "servers"},
    ("concurrency",): {"enabled", "pools", "runs"},
    ("concurrency", "pools"): {"defaultLimit", "granularity", "opGranularityRunBuffer"},
    ("concurrency", "runs"): {"maxConcurrentRuns", "tagConcurrencyLimits"},
    ("postgresql",): {
        "enabled", "image", "postgresqlDatabase", "postgresqlHost", "postgresqlParams",
        "postgresqlPassword", "postgresqlScheme", "postgresqlUsername", "service",
    },
    ("computeLogManager", "config", "gcsComputeLogManager"): {
        "bucket", "jsonCredentialsEnvvar", "localDir", "prefix", "uploadInterval",
    },
    ("retention",): {"autoMaterialize", "enabled", "schedule", "sensor"},
}  # fmt: skip
DEPLOYMENT = POD | {
    "codeServerArgs", "dagsterApiGrpcArgs", "deploymentNamespace", "deploymentStrategy",
    "includeConfigInLaunchedRuns", "initContainers", "name", "port", "replicaCount",
    "sidecarContainers",
}  # fmt: skip


@pytest.fixture
def values() -> dict[str, Any]:
    return read_yaml(VALUES)


def validate(resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, KUBERNETES, strict=True)


def deployment_of(part: dict[str, Any], account: str) -> dict[str, Any]:
    """A deployment with the parts that the chart copies from ``part``."""
    image = part["image"]
    container = {
        "name": "dagster",
        "image": f"{image['repository']}:{image['tag']}",
        "imagePullPolicy": image["pullPolicy"],
        "env": part.get("env", []),
        "envFrom": [{"secretRef": secret} for secret in part.get("envSecrets", [])],
        "securityContext": part["securityContext"],
        "resources": part["resources"],
        "volumeMounts": part["volumeMounts"],
    }
    pod = {
        "serviceAccountName": account,
        "securityContext": part["podSecurityContext"],
        "containers": [container],
        "volumes": part["volumes"],
    }
    labels = {"component": "dagster"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "dagster"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


@pytest.mark.parametrize("path", CHART, ids=".".join)
def test_its_keys_exist_in_the_chart(values: dict[str, Any], path: tuple[str, ...]) -> None:
    part: Any = values
    for key in path:
        part = part[key]
    assert set(part) <= CHART[path]


def test_the_keys_of_the_code_server_exist_in_the_chart(values: dict[str, Any]) -> None:
    for deployment in values["dagster-user-deployments"]["deployments"]:
        assert set(deployment) <= DEPLOYMENT


@pytest.mark.parametrize("server", ["dagsterDaemon", "dagsterWebserver"])
def test_kubernetes_accepts_the_servers(values: dict[str, Any], server: str) -> None:
    validate(deployment_of(values[server], values["serviceAccount"]["name"]))


def test_kubernetes_accepts_the_code_server(values: dict[str, Any]) -> None:
    code = values["dagster-user-deployments"]
    for each in code["deployments"]:
        validate(deployment_of(each, code["serviceAccount"]["name"]))


def test_kubernetes_accepts_the_accounts(values: dict[str, Any]) -> None:
    for part in (values, values["dagster-user-deployments"]):
        account = part["serviceAccount"]
        validate(
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {key: account[key] for key in ("name", "annotations")},
            }
        )


def test_kubernetes_accepts_the_runs_of_every_dataset(
    values: dict[str, Any], tmp_path: Path
) -> None:
    launcher = launcher_of(values, tmp_path)
    tags = [months_job(spec, pods=True).tags for spec in DATASETS.values()]
    for each in ({}, *tags):
        validate(job_of(launcher, each))
    (documented,) = fenced(VALUES.with_name("README.md"), "json")
    sizes = [
        json.loads(each["dagster-k8s/config"]) for each in tags if "dagster-k8s/config" in each
    ]
    assert sizes
    assert all(size == json.loads(documented) for size in sizes)


@pytest.mark.parametrize(
    ("part", "key", "wrong"),
    [
        ("securityContext", "allowPrivilegeEscalation", "false"),
        ("podSecurityContext", "runAsUsr", 10001),
        ("resources", "limit", {"memory": "1Gi"}),
    ],
)
def test_kubernetes_refuses_a_wrong_type_and_an_unknown_key(
    values: dict[str, Any], part: str, key: str, wrong: object
) -> None:
    daemon = copy.deepcopy(values["dagsterDaemon"])
    daemon[part][key] = wrong
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(deployment_of(daemon, "taxi-dagster"))


def test_dagster_accepts_its_limits_and_retries(values: dict[str, Any], tmp_path: Path) -> None:
    daemon = values["dagsterDaemon"]
    instance = {
        "concurrency": {key: snakes(values["concurrency"][key]) for key in ("runs", "pools")},
        "run_retries": snakes(daemon["runRetries"]),
        "run_monitoring": snakes(daemon["runMonitoring"]),
        "retention": {key: snakes(values["retention"][key]) for key in ("schedule", "sensor")},
        "sensors": snakes(daemon["sensors"]),
        "schedules": snakes(daemon["schedules"]),
        "telemetry": values["telemetry"],
        **values["additionalInstanceConfig"],
    }
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(instance))
    config, _ = dagster_instance_config(str(tmp_path))
    assert config["run_retries"]["retry_on_asset_or_op_failure"] is False
    runs = config["concurrency"]["runs"]
    (backfills,) = runs["tag_concurrency_limits"]
    assert backfills["limit"] < runs["max_concurrent_runs"]


def test_dagster_accepts_the_database_and_the_logs(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_PG_PASSWORD", "x")
    database = values["postgresql"]
    storage = accepted(
        PostgresRunStorage.config_type(),
        {
            "postgres_db": {
                "username": database["postgresqlUsername"],
                "password": {"env": "DAGSTER_PG_PASSWORD"},
                "hostname": database["postgresqlHost"],
                "db_name": database["postgresqlDatabase"],
                "port": database["service"]["port"],
                "params": database["postgresqlParams"],
                "scheme": database["postgresqlScheme"],
            }
        },
    )
    assert storage["postgres_db"]["params"] == {"sslmode": "require"}
    logs = values["computeLogManager"]
    assert logs["type"] == GCSComputeLogManager.__name__
    accepted(
        GCSComputeLogManager.config_type(),  # type: ignore[no-untyped-call]  # untyped in Dagster
        snakes(logs["config"]["gcsComputeLogManager"]),
    )
