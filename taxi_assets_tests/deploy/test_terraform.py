"""The Terraform files: private, protected, and with the roles of ``taxi_assets.grants``.

They are evaluated, not planned, because providers are not downloaded.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest

from taxi_assets.grants import (
    DAGSTER,
    DATASET,
    GRANTS,
    IMAGES,
    LAKE,
    LOGS,
    NODES,
    PEOPLE,
    PROJECT,
    READER,
    RUNNER,
)
from taxi_assets_tests.deploy.files import DEPLOY, read_yaml
from taxi_assets_tests.deploy.terraform import FOLDER, Resources, evaluate, key_of, label_of

READERS = '["group:analysts@example.com"]'
IAM = re.compile(r"google_(\w+)_iam_(member|binding|policy)")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Everything, with a cluster."""
    return evaluate(
        tmp_path_factory.mktemp("terraform"),
        project='"p"',
        cluster_region='"us-east4"',
        kubernetes_namespace='"taxi"',
        readers=READERS,
    )


def one(made: Resources, kind: str, label: str) -> dict[str, Any]:
    (found,) = [each for each in made[kind] if label_of(each) == label]
    return found


def grants(made: Resources) -> set[tuple[str, str, str]]:
    """Account, resource and role of every grant, in the words of ``taxi_assets.grants``."""
    found = set()
    names = {"lake": LAKE, "logs": LOGS, "dataset": DATASET, "project": PROJECT}
    for kind in filter(IAM.fullmatch, made):
        for each in made[kind]:
            role, label = each["role"], label_of(each)
            if label == "granted":
                chosen = each["for_each"][key_of(each)]
                assert chosen["role"] == role
                found.add((f"taxi-{chosen['account']}", names[chosen["on"]], role))
            elif label == "nodes":
                on = PROJECT if kind == "google_project_iam_member" else IMAGES
                found.add((NODES, on, role))
            elif label == "workload_identity":
                account = f"taxi-{key_of(each)}"
                assert each["member"] == f"serviceAccount:p.svc.id.goog[taxi/{account}]"
                found.add((f"the Kubernetes account `{account}`", account, role))
            else:
                assert label == "reader_impersonation"
                assert each["member"] == "group:analysts@example.com"
                found.add((PEOPLE, READER, role))
    return found


def test_it_is_formatted() -> None:
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("terraform is not installed")
    done = subprocess.run(
        [terraform, "fmt", "-check", "-diff", "-recursive", FOLDER],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_grant_is_additive(made: Resources) -> None:
    kinds = [kind for kind in made if IAM.fullmatch(kind)]
    assert kinds
    assert all(kind.endswith("_iam_member") for kind in kinds), "other grants would be removed"


def test_it_grants_exactly_the_documented_roles(made: Resources) -> None:
    assert grants(made) == {(each.account, each.on, each.role) for each in GRANTS}


def test_without_a_cluster_only_the_grants_of_the_cluster_are_missing(tmp_path: Any) -> None:
    without = evaluate(tmp_path, project='"p"', readers=READERS)
    missing = {(each.account, each.on, each.role) for each in GRANTS} - grants(without)
    assert {(account, on) for account, on, _ in missing} == {
        (NODES, PROJECT),
        (NODES, IMAGES),
        (f"the Kubernetes account `{RUNNER}`", RUNNER),
        (f"the Kubernetes account `{DAGSTER}`", DAGSTER),
    }
    assert not [kind for kind in without if "container" in kind or "sql" in kind]


def test_the_accounts_have_the_documented_names_and_no_key(made: Resources) -> None:
    accounts = {each["account_id"] for each in made["google_service_account"]}
    assert accounts == {RUNNER, DAGSTER, READER, NODES}
    assert "google_service_account_key" not in made


def test_the_apis_of_what_it_creates_are_enabled(made: Resources) -> None:
    enabled = {each["service"].removesuffix(".googleapis.com") for each in
               made["google_project_service"]}  # fmt: skip
    needed = {
        "google_storage": "storage", "google_bigquery": "bigquery", "google_service_account": "iam",
        "google_compute": "compute", "google_container": "container", "google_sql": "sqladmin",
        "google_service_networking": "servicenetworking",
        "google_artifact_registry": "artifactregistry",
    }  # fmt: skip
    others = {"bigquerystorage", "iamcredentials"}  # of requests at run time
    kinds = [kind for kind in made if not kind.startswith("google_project_")]
    used = {
        api
        for kind in kinds
        if kind.startswith("google_")
        for prefix, api in needed.items()
        if kind.startswith(prefix)
    }
    assert enabled == used | others


def test_the_buckets_are_private_and_stored_data_is_protected(made: Resources) -> None:
    assert {label_of(each) for each in made["google_storage_bucket"]} == {"lake", "logs"}
    for bucket in made["google_storage_bucket"]:
        assert bucket["uniform_bucket_level_access"] is True
        assert bucket["public_access_prevention"] == "enforced"
    lake = one(made, "google_storage_bucket", "lake")
    for kept in (lake, one(made, "google_bigquery_dataset", "taxi")):
        assert kept["lifecycle"]["prevent_destroy"] is True
    assert lake["soft_delete_policy"]["retention_duration_seconds"] == 30 * 24 * 60 * 60


def test_only_the_staging_zone_of_the_lake_expires(tmp_path: Any) -> None:
    made = evaluate(tmp_path, project='"p"', lake_prefix='"nyc/"')
    rules = one(made, "google_storage_bucket", "lake")["lifecycle_rule"]
    (condition,) = [each["condition"] for each in rules if each["action"]["type"] == "Delete"]
    assert condition["matches_prefix"] == ["nyc/staging/"]


def test_the_dataset_expires_nothing(made: Resources) -> None:
    dataset = one(made, "google_bigquery_dataset", "taxi")
    assert not [name for name in dataset if "expiration" in name]


def test_pods_reach_the_database_only_at_a_private_address_and_encrypted(made: Resources) -> None:
    database = one(made, "google_sql_database_instance", "dagster")
    address = database["settings"]["ip_configuration"]
    network = one(made, "google_compute_network", "taxi")["id"]
    assert address["ipv4_enabled"] is False
    assert address["ssl_mode"] == "ENCRYPTED_ONLY"
    cluster = one(made, "google_container_cluster", "taxi")
    assert {address["private_network"], cluster["network"]} == {network}
    values = read_yaml(DEPLOY / "helm" / "values.yaml")["postgresql"]
    assert values["postgresqlParams"] == {"sslmode": "require"}
    (schema,) = made["google_sql_database"]
    assert schema["name"] == values["postgresqlDatabase"]
    assert "password" not in str(made).lower()


def test_cluster_and_database_are_protected_from_deletion(made: Resources) -> None:
    for kind in ("google_sql_database_instance", "google_container_cluster"):
        assert [each["deletion_protection"] for each in made[kind]] == [True]


def test_every_variable_and_output_is_described(made: Resources) -> None:
    for kind in ("variable", "output"):
        for block in made[kind]:
            assert len(block["description"]) > 10, label_of(block)


def test_kubernetes_accounts_have_the_names_of_the_helm_values() -> None:
    values = read_yaml(DEPLOY / "helm" / "values.yaml")
    names = {}
    for key in ("serviceAccount", "dagster-user-deployments"):
        account = values[key].get("serviceAccount", values[key])
        (address,) = account["annotations"].values()
        assert address == f"{account['name']}@my-project.iam.gserviceaccount.com"
        names[key] = account["name"]
    assert names == {"serviceAccount": DAGSTER, "dagster-user-deployments": RUNNER}
