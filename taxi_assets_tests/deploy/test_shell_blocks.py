"""The shell blocks of the operators' pages: valid, and consistent with each other and the files.

Nothing is run, except the ``sed`` command that writes the Helm values.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from taxi_assets.instance import LOCATION
from taxi_assets_tests.deploy.files import DEPLOY, DOCS, ROOT, fenced
from taxi_assets_tests.deploy.terraform import evaluate, label_of

CLUSTER = DOCS / "cluster.md"
PAGES = [CLUSTER, DOCS / "gcp.md", DOCS / "operations.md", DEPLOY / "helm" / "README.md"]
# Pages that are pasted from top to bottom, in one shell.
SEQUENCES = [CLUSTER, DOCS / "gcp.md"]
OF_THE_SHELL = {"PWD", "HOME", "USER"}
WRITTEN_ON_THE_PAGE = {"deploy/helm/my-values.yaml"}
SET = {
    "PROJECT": "my-project-123",
    "VERSION": "9.8.7",
    "IMAGES": "us-east4-docker.pkg.dev/my-project-123/taxi",
    "TAXI_LAKE_URL": "gs://my-project-123-taxi-lake/nyc",
    "TAXI_WAREHOUSE_URL": "bigquery://my-project-123/nyc_taxi?location=EU",
    "LOGS_BUCKET": "my-project-123-taxi-logs",
    "DATABASE_HOST": "10.20.30.40",
    "TAXI_UI_URL": "https://taxi.my-company.org",
}


def shell(page: Path) -> str:
    return "\n".join(fenced(page, "console"))


def command(page: Path, first_word: str) -> list[str]:
    """The commands of the page that start with that word, with their lines joined."""
    lines = shell(page).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.split()[:1] == [first_word]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_are_valid_shell(page: Path) -> None:
    for block in fenced(page, "console"):
        done = subprocess.run(
            ["bash", "-n"], input=block, capture_output=True, text=True, check=False
        )
        assert not done.stderr, f"{block}\n{done.stderr}"


@pytest.mark.parametrize("page", SEQUENCES, ids=lambda page: page.name)
def test_every_variable_is_set_before_it_is_used(page: Path) -> None:
    known = set(OF_THE_SHELL)
    used = set()
    for line in shell(page).splitlines():
        uncommented = re.sub(r"(^|\s)#.*", "", line)
        for name in re.findall(r"\$\{?([A-Za-z_]\w*)", uncommented):
            assert name in known, line
            used.add(name)
        known |= set(re.findall(r"\bexport (\w+)=", uncommented))
    assert used


@pytest.mark.parametrize("page", SEQUENCES, ids=lambda page: page.name)
def test_every_variable_and_output_of_terraform_exists(page: Path, tmp_path: Path) -> None:
    made = evaluate(tmp_path, project='"p"')
    passed = set(re.findall(r"-var (\w+)=", shell(page)))
    printed = set(re.findall(r"output -raw (\w+)", shell(page)))
    assert passed
    assert printed
    assert passed <= {label_of(each) for each in made["variable"]}
    assert printed <= {label_of(each) for each in made["output"]}


@pytest.mark.parametrize("page", SEQUENCES, ids=lambda page: page.name)
def test_terraforms_own_apis_are_enabled_before_it_runs(page: Path) -> None:
    text = shell(page)
    before, _, _ = text.partition("terraform ")
    for api in ("cloudresourcemanager", "serviceusage"):
        assert f"{api}.googleapis.com" in before


def test_every_file_of_the_repository_exists() -> None:
    named = set(re.findall(r"\bdeploy/[\w./-]+", shell(CLUSTER))) - WRITTEN_ON_THE_PAGE
    assert named
    for name in named:
        assert (ROOT / name).exists(), name


def test_the_values_written_from_the_page_have_no_placeholder(tmp_path: Path) -> None:
    (sed,) = command(CLUSTER, "sed")
    filled = subprocess.run(
        ["bash", "-c", sed.replace("> deploy/helm/my-values.yaml", "")],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **SET},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    values = yaml.safe_load(filled)
    text = yaml.safe_dump(values).replace("my-project-123", "")
    assert not re.findall(r".*(?:my-project|example|127\.0\.0\.1|us-docker|0\.1\.0).*", text)
    (code,) = values["dagster-user-deployments"]["deployments"]
    assert {each["name"]: each["value"] for each in code["env"]} == {
        "TAXI_ENV": "production",
        "GOOGLE_CLOUD_PROJECT": SET["PROJECT"],
        **{name: SET[name] for name in ("TAXI_LAKE_URL", "TAXI_WAREHOUSE_URL", "TAXI_UI_URL")},
    }
    images = [code["image"], values["dagsterDaemon"]["image"], values["dagsterWebserver"]["image"]]
    for image in images:
        assert image["repository"] == f"{SET['IMAGES']}/taxi-assets"
        assert image["tag"] == SET["VERSION"]
    assert values["postgresql"]["postgresqlHost"] == SET["DATABASE_HOST"]
    assert (
        values["computeLogManager"]["config"]["gcsComputeLogManager"]["bucket"]
        == (SET["LOGS_BUCKET"])
    )
    accounts = [values["serviceAccount"], values["dagster-user-deployments"]["serviceAccount"]]
    for account in accounts:
        (address,) = account["annotations"].values()
        assert address == f"{account['name']}@{SET['PROJECT']}.iam.gserviceaccount.com"


def test_the_pushed_image_is_the_installed_one() -> None:
    (build,), (push,) = (
        [line for line in command(CLUSTER, "docker") if f"docker {verb}" in line]
        for verb in ("build", "push")
    )
    image = '"$IMAGES/taxi-assets:$VERSION"'
    assert f"--tag {image} ." in build
    assert push.split()[-1] == image


def test_the_secrets_on_the_page_are_those_of_the_values() -> None:
    values: dict[str, Any] = yaml.safe_load((DEPLOY / "helm" / "values.yaml").read_text("utf-8"))
    created = set(re.findall(r"create secret generic ([\w-]+)", shell(CLUSTER)))
    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    assert created == {
        values["global"]["postgresqlSecretName"],
        *(each["name"] for each in launcher["envSecrets"]),
    }


def test_the_names_on_the_page_are_those_of_terraform_and_the_values(tmp_path: Path) -> None:
    made = evaluate(tmp_path, project='"p"', cluster_region='"r"', kubernetes_namespace='"taxi"')
    values: dict[str, Any] = yaml.safe_load((DEPLOY / "helm" / "values.yaml").read_text("utf-8"))
    text = shell(CLUSTER).replace("\\\n", " ")
    (instance,), (cluster,) = made["google_sql_database_instance"], made["google_container_cluster"]
    user = values["postgresql"]["postgresqlUsername"]
    assert f"gcloud sql users create {user} --instance={instance['name']} " in text
    assert f"get-credentials {cluster['name']} " in text
    assert set(re.findall(r"(?:--namespace|create namespace|namespace=)[ =]?([\w-]+)", text)) == {
        "taxi"
    }
    (code,) = values["dagster-user-deployments"]["deployments"]
    assert f"--selector deployment={code['name']} " in text
    assert f":{values['dagsterWebserver']['service']['port']}\n" in text + "\n"
    assert f"--location {LOCATION} " in text
