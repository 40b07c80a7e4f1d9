"""The Terraform files: formatted, private, and with minimal roles for each account.

The files are only parsed, not planned, because providers are not downloaded.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import hcl2
import pytest

from taxi_assets.warehouse.bigquery_errors import ROLES
from taxi_assets_tests.deploy.files import DEPLOY, read_yaml

FOLDER = DEPLOY / "terraform"
GRANTS = re.compile(r"google_\w+_iam_(member|binding|policy)")
BUCKET_DATA = {"roles/storage.objectUser", "roles/storage.objectViewer"}


def blocks(kind: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """All blocks of that kind, by their labels."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for path in sorted(FOLDER.glob("*.tf")):
        for block in hcl2.loads(path.read_text("utf-8")).get(kind, []):
            labels, body = [], block
            while "__is_block__" not in body:
                ((label, body),) = body.items()
                labels.append(label.strip('"'))
            found[tuple(labels)] = body
    return found


def grants() -> dict[str, set[str]]:
    """Roles of all accounts by type of resource, such as ``google_storage_bucket``."""
    found: dict[str, set[str]] = {}
    for (kind, _), block in blocks("resource").items():
        if GRANTS.fullmatch(kind):
            roles = set(re.findall(r"roles/[\w.]+", str(block)))
            found.setdefault(kind.removesuffix("_iam_member"), set()).update(roles)
    return found


def roles_of(account: str) -> set[str]:
    """All roles of an account."""
    return {
        role
        for (kind, _), block in blocks("resource").items()
        if GRANTS.fullmatch(kind) and f"google_service_account.{account}.member" in str(block)
        for role in re.findall(r"roles/[\w.]+", str(block))
    }


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


def test_every_grant_is_additive() -> None:
    kinds = {kind for kind, _ in blocks("resource") if GRANTS.fullmatch(kind)}
    assert kinds
    assert all(kind.endswith("_iam_member") for kind in kinds), "other grants would be removed"


def test_no_other_roles_are_granted() -> None:
    assert grants() == {
        "google_storage_bucket": {*BUCKET_DATA, "roles/storage.legacyBucketReader"},
        "google_bigquery_dataset": {"roles/bigquery.dataEditor", "roles/bigquery.dataViewer"},
        "google_project": {"roles/bigquery.jobUser", "roles/bigquery.readSessionUser"},
        "google_service_account": {
            "roles/iam.serviceAccountTokenCreator",
            "roles/iam.workloadIdentityUser",
        },
    }


def test_no_role_is_basic_or_an_administrators() -> None:
    for role in set().union(*grants().values()):
        assert role not in {"roles/owner", "roles/editor", "roles/viewer"}
        assert "admin" not in role.lower()


def test_the_runner_has_the_roles_that_the_error_messages_name() -> None:
    named = set(re.findall(r"roles/[\w.]+\w", ROLES)) - {"roles/storage.objectViewer"}
    assert named | {"roles/storage.objectUser"} == roles_of("runner")


def test_the_reader_cannot_write() -> None:
    assert roles_of("reader") == {
        "roles/storage.objectViewer",
        "roles/bigquery.dataViewer",
        "roles/bigquery.jobUser",
        "roles/bigquery.readSessionUser",
    }


def test_no_account_has_a_key() -> None:
    assert not [kind for kind, _ in blocks("resource") if kind == "google_service_account_key"]


def test_the_buckets_are_private_and_stored_data_is_protected() -> None:
    made = blocks("resource")
    buckets = {name: b for (kind, name), b in made.items() if kind == "google_storage_bucket"}
    assert set(buckets) == {"lake", "logs"}
    for bucket in buckets.values():
        assert bucket["uniform_bucket_level_access"] is True
        assert bucket["public_access_prevention"].strip('"') == "enforced"
    for kept in (buckets["lake"], made["google_bigquery_dataset", "taxi"]):
        assert kept["lifecycle"][0]["prevent_destroy"] is True
    assert buckets["lake"]["soft_delete_policy"]


def test_only_the_staging_zone_of_the_lake_expires() -> None:
    lake = blocks("resource")["google_storage_bucket", "lake"]
    deleting = [
        rule["condition"][0]
        for rule in lake["lifecycle_rule"]
        if rule["action"][0]["type"].strip('"') == "Delete"
    ]
    (condition,) = deleting
    (prefix,) = condition["matches_prefix"]
    assert prefix.strip('"') == "${var.lake_prefix}staging/"


def test_every_variable_and_output_is_described() -> None:
    for kind in ("variable", "output"):
        for name, block in blocks(kind).items():
            assert len(block["description"]) > 10, name


def test_kubernetes_accounts_have_the_names_of_the_helm_values() -> None:
    values = read_yaml(DEPLOY / "helm" / "values.yaml")
    accounts = {
        block["account_id"].strip('"')
        for (kind, _), block in blocks("resource").items()
        if kind == "google_service_account"
    }
    for each in (values["serviceAccount"], values["dagster-user-deployments"]["serviceAccount"]):
        assert each["name"] in accounts
        (address,) = each["annotations"].values()
        assert address == f"{each['name']}@my-project.iam.gserviceaccount.com"
