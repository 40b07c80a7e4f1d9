"""URLs of lakes, valid and invalid ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from taxi_assets.errors import Misconfigured
from taxi_assets.lake.azure import AzureStore
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.gcs import GcsStore
from taxi_assets.lake.local import LocalStore
from taxi_assets.lake.s3 import S3Store


@pytest.mark.parametrize("form", ["{path}", "file://{path}", "file://localhost{path}"])
def test_a_folder_may_be_written_as_a_path_or_a_url(tmp_path: Path, form: str) -> None:
    store = open_store(form.format(path=tmp_path / "the%20lake"))
    assert isinstance(store, LocalStore)
    assert store.root.parent == tmp_path
    assert store.root.name == ("the lake" if "://" in form else "the%20lake")


def test_a_path_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("data/lake")
    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / "data" / "lake"


@pytest.mark.parametrize(
    ("url", "kind"), [("gs://b/p", GcsStore), ("s3://b/p", S3Store), ("az://b/p", AzureStore)]
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_bucket_is_opened_without_a_request(
    url: str, kind: type, slash: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "account")
    store = open_store(url + slash)
    assert isinstance(store, kind)
    assert store.uri("raw/x") == f"{url}/raw/x"


@pytest.mark.parametrize("url", ["", "file:", "file:lake", "ftp://host/lake", "hdfs://lake"])
def test_the_error_for_an_unknown_url_lists_the_valid_forms(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"file:///data/lake.*gs://.*s3://.*az://"):
        open_store(url)


@pytest.mark.parametrize("url", ["gs://", "s3:///prefix", "az://?x", "file://", "file://host/lake"])
def test_a_url_without_a_bucket_or_folder_is_rejected(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    with pytest.raises(Misconfigured, match="not only name"):
        open_store(url)


def test_a_password_in_a_url_is_not_in_the_message() -> None:
    with pytest.raises(Misconfigured) as raised:
        open_store("sftp://user:secret@host/lake")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "library", "extra"), [("s3://b", "boto3", "s3"), ("az://b", "azure.storage", "azure")]
)
def test_the_error_for_a_missing_extra_names_the_command(
    url: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [f"taxi_assets.lake.{extra}", *sys.modules]:
        if name == f"taxi_assets.lake.{extra}" or name.startswith(library):
            monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, library, None)  # importing it fails, as if not installed
    with pytest.raises(Misconfigured) as raised:
        open_store(url)
    assert "needs an extra" in str(raised.value)
    assert f"Run pip install 'taxi-assets[{extra}]'." in str(raised.value)


def test_a_local_lake_does_not_import_cloud_clients() -> None:
    program = (
        "import sys; from taxi_assets.lake.factory import open_store; open_store('x');"
        "print([name for name in ('google.cloud.storage', 'boto3', 'azure', 'dagster')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
