"""The table of roles: sufficient as Google documents it, and the only place that names roles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taxi_assets.grants import (
    DATASET,
    GRANTS,
    LAKE,
    PROJECT,
    READER,
    RUNNER,
    render_document,
    roles,
)
from taxi_assets.lake.gcs_errors import GCS
from taxi_assets.services import ErrorDetails
from taxi_assets.warehouse.bigquery_errors import ROLES

ROOT = Path(__file__).parents[1]
# Of https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#required_permissions
# and https://cloud.google.com/bigquery/docs/information-schema-partitions#required_permissions.
LOAD = {
    "bigquery.tables.create",
    "bigquery.tables.updateData",
    "bigquery.tables.update",
    "bigquery.jobs.create",
    "storage.buckets.get",
    "storage.objects.get",
}
PARTITIONS = {"bigquery.tables.get", "bigquery.tables.list"}


def permissions(account: str) -> set[str]:
    return {each for grant in GRANTS if grant.account == account for each in grant.permissions}


def test_the_runner_has_every_permission_that_google_documents_for_a_load() -> None:
    on_lake = {
        each for g in GRANTS if (g.account, g.on) == (RUNNER, LAKE) for each in g.permissions
    }
    assert {each for each in LOAD if each.startswith("storage.")} <= on_lake
    assert permissions(RUNNER) >= LOAD | PARTITIONS


def test_the_reader_cannot_write() -> None:
    verbs = {each.rpartition(".")[2] for each in permissions(READER)}
    assert verbs == {"get", "getData", "list", "create"}
    assert {each for each in permissions(READER) if each.endswith(".create")} == {
        "bigquery.jobs.create",
        "bigquery.readsessions.create",
    }


def test_no_role_is_basic_or_an_administrators() -> None:
    for grant in GRANTS:
        assert grant.role not in {"roles/owner", "roles/editor", "roles/viewer"}
        assert "admin" not in grant.role.lower()


def test_the_remedy_for_bigquery_names_all_roles_of_the_runner() -> None:
    for on in (LAKE, DATASET, PROJECT):
        assert roles(RUNNER, on) in ROLES


def test_the_remedy_for_the_lake_names_the_bucket_and_both_kinds_of_roles() -> None:
    error = GCS.error(ErrorDetails("denied", {403}), "Reading gs://b/k", bucket="b", uri="gs://b/k")
    assert f"{roles(RUNNER, LAKE)} on gs://b, or {roles(READER, LAKE)} if it only reads" in str(
        error
    )


@pytest.mark.parametrize("folder", ["taxi_assets", "docs", "deploy"])
def test_every_role_that_is_named_anywhere_is_in_the_table(folder: str) -> None:
    known = {each.role for each in GRANTS}
    for path in (ROOT / folder).rglob("*"):
        if path.suffix in {".py", ".md", ".tf", ".yaml"} and path.name != "grants.py":
            named = set(re.findall(r"roles/[\w.]+\w", path.read_text("utf-8")))
            assert named <= known, path


def test_the_page_is_current() -> None:
    page = ROOT / "docs" / "grants.md"
    assert page.read_text("utf-8") == render_document(), (
        "docs/grants.md is stale; write it again: python -m taxi_assets.grants > docs/grants.md"
    )
