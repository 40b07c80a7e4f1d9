"""The probes of a lake pass on every store, leave nothing, and say what a store lacks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets.lake.bucket import BucketStore
from taxi_assets.lake.factory import open_store
from taxi_assets.probes.lake import LakeProbes
from taxi_assets.probes.names import PREFIX, new_name
from taxi_assets.probes.probe import Group, Probe, run_probes
from taxi_assets_tests.lake import gcs_stub, lakes
from taxi_assets_tests.lake.files import new_file
from taxi_assets_tests.lake.gcs_stub import Fault, GcsStub
from taxi_assets_tests.probes.reports import Report, probed

KEY = "trips/green/year=2024/month=01/trips.parquet"
OLD = f"{PREFIX}202401020304_abc123"
PRECONDITIONS = {
    f"lake: precondition: {each}"
    for each in ("create", "overwrite", "in parts", "copy's target", "copy's source")
}
ALL = {
    "lake: list objects",
    "lake: write an object",
    "lake: metadata is kept",
    "lake: overwrite an object",
    "lake: copy an object",
    "lake: read an object",
    "lake: delete",
    *PRECONDITIONS,
}


@pytest.fixture(params=lakes.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    return lakes.fresh_lake(kind, tmp_path / "lake", request, monkeypatch)


@pytest.fixture
def gcs(monkeypatch: pytest.MonkeyPatch) -> Iterator[GcsStub]:
    """A store that enforces everything, and faults on demand."""
    with gcs_stub.running() as stub:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", stub.url)
        yield stub


def probe(url: str, files: Path) -> Report:
    """With a file that is sent in parts."""
    return probed(LakeProbes(url, new_name(), files).group())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that is sent in parts is a small one, which is not: only for speed."""
    monkeypatch.setattr("taxi_assets.probes.lake.PART_SIZE", 1)


def test_every_probe_passes_and_nothing_is_left(kind: str, url: str, files: Path) -> None:
    store = open_store(url)
    kept = store.put(new_file(files, b"a month", {"etag": '"1"'}), KEY, replacing=None)
    lakes.put_by_hand(url, "checks/mine", b"not a check's")
    before = lakes.keys_by_hand(url)
    report = probe(url, files)
    assert report.failed == {}
    assert report.verdicts.keys() == ALL
    assert lakes.keys_by_hand(url) == before
    assert store.find(KEY) == kept


def test_a_store_that_enforces_all_of_gcs_passes(gcs: GcsStub, files: Path) -> None:
    report = probe(f"gs://{gcs_stub.BUCKET}/prefix", files)
    assert report.failed == {}
    assert report.verdicts.keys() == ALL
    assert gcs.objects == {}


@pytest.mark.usefixtures("small")
def test_a_folder_that_does_not_exist_yet_does_not_exist_afterwards(
    tmp_path: Path, files: Path
) -> None:
    url = (tmp_path / "not" / "yet").as_uri()
    assert probe(url, files).verdicts.keys() == ALL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files"]


def test_what_a_killed_check_left_is_named_and_removed(url: str, files: Path) -> None:
    young = new_name()
    for name in (OLD, young):
        lakes.put_by_hand(url, f"checks/{name}/object", b"left")
    report = probed(Group(LakeProbes(url, new_name(), files).group().probes[:2]))
    assert report.texts["lake: leftovers of killed checks"] == f"{OLD} removed"
    assert lakes.keys_by_hand(url) == [f"checks/{young}/object"]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("last", ["lake: write an object", "lake: copy an object"])
def test_nothing_is_left_after_ctrl_c(last: str, tmp_path: Path, files: Path) -> None:
    def interrupt(line: str) -> None:
        if last in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_probes([LakeProbes(str(tmp_path / "lake"), new_name(), files).group()], interrupt)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files"]


@pytest.mark.usefixtures("small")
def test_a_store_without_preconditions_is_named(
    url: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ignores what it is told of the version: the last writer wins."""
    store = open_store(url)
    if not isinstance(store, BucketStore):
        pytest.skip("a folder's preconditions are the platform's own")
    upload, duplicate = type(store)._upload, type(store)._duplicate

    def version(self: BucketStore, name: str) -> str | None:
        found = self._found(name.removeprefix(self._prefix))
        return found.version if found else None

    monkeypatch.setattr(
        type(store),
        "_upload",
        lambda self, new, name, expected: upload(self, new, name, version(self, name)),
    )
    monkeypatch.setattr(
        type(store),
        "_duplicate",
        lambda self, source, _, name, expected, facts: duplicate(
            self, source, str(version(self, source)), name, version(self, name), facts
        ),
    )
    report = probe(url, files)
    assert report.failed.keys() == PRECONDITIONS
    for text in report.failed.values():
        assert "was written although its precondition did not hold" in text
        assert "Two runs of the same month at the same time could overwrite each other" in text
    assert lakes.keys_by_hand(url) == []


MISSING = {
    "gcs": ("gs://nowhere-at-all", "gcloud storage buckets create gs://nowhere-at-all"),
    "s3": ("s3://nowhere-at-all", "aws s3 mb s3://nowhere-at-all"),
    "azure": ("az://nowhere-at-all", "az storage container create --name nowhere-at-all"),
}


@pytest.mark.parametrize("kind", [*MISSING], indirect=True)
@pytest.mark.usefixtures("url")
def test_a_missing_bucket_is_named_once_and_the_rest_skipped(kind: str, files: Path) -> None:
    missing, command = MISSING[kind]
    report = probe(missing, files)
    assert report.failed.keys() == {"lake: list objects"}
    assert command in report.failed["lake: list objects"]
    assert report.skipped.keys() == (
        ALL - {"lake: list objects", "lake: delete"} | {"lake: leftovers of killed checks"}
    )


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("method", "part", "failing"),
    [
        ("GET", "/o", "lake: list objects"),
        ("POST", "/upload/", "lake: write an object"),
        ("POST", "/rewriteTo/", "lake: copy an object"),
        ("DELETE", "/o/", "lake: delete"),
    ],
)
def test_a_missing_permission_is_named_with_the_role(
    gcs: GcsStub, files: Path, method: str, part: str, failing: str
) -> None:
    gcs.faults.append(Fault(method, part, 403, "no permission", "forbidden", times=1000))
    report = probe(f"gs://{gcs_stub.BUCKET}", files)
    assert next(iter(report.failed)) == failing
    assert "Grant the worker's account roles/storage.objectUser" in report.failed[failing]
    assert bool(gcs.objects) == (method == "DELETE")


@pytest.mark.usefixtures("small")
def test_a_store_that_loses_metadata_is_named(
    gcs: GcsStub, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = gcs.store
    monkeypatch.setattr(
        gcs,
        "store",
        lambda name, content, metadata: store(
            name, content, {key: text for key, text in metadata.items() if key != "unicode"}
        ),
    )
    text = probe(f"gs://{gcs_stub.BUCKET}", files).failed["lake: metadata is kept"]
    assert "without its metadata (unicode)" in text


@pytest.mark.usefixtures("small")
def test_a_download_that_is_damaged_is_named(gcs: GcsStub, files: Path) -> None:
    gcs.damages_content = True
    assert "sha256" in probe(f"gs://{gcs_stub.BUCKET}", files).failed["lake: read an object"]


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs Linux's /sys")
def test_a_folder_that_cannot_be_written_is_named(files: Path) -> None:
    """In ``/sys`` not even root makes a folder."""
    report = probe("file:///sys/taxi-lake", files)
    assert "Let this user write there" in report.failed["lake: write an object"]


@pytest.mark.usefixtures("small")
def test_a_file_of_another_user_in_the_lake_is_named(
    tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = tmp_path / "lake"
    open_store(str(lake)).put(new_file(files, b"x"), KEY, replacing=None)
    if os.geteuid() == 0:  # may write everything
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != ".lock")
    else:
        (lake / ".lock").chmod(0o400)
    assert ".lock cannot be written" in probe(str(lake), files).failed["lake: list objects"]
    shutil.rmtree(lake)


def test_objects_of_a_load_are_deleted(tmp_path: Path, files: Path) -> None:
    lake = LakeProbes(str(tmp_path / "lake"), new_name(), files)
    assert isinstance(lake.clean_up("x"), Probe)
    lake.put(b"content", "file.parquet", replacing=None)
    assert lake.clean_up("x").run() == "nothing is left"
    assert not (tmp_path / "lake").exists()
