"""Preconditions, checksums and errors of GCS, with Google's client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from taxi_assets.errors import ConcurrentWrite, Misconfigured, StoreUnavailable
from taxi_assets.lake.gcs import GcsStore
from taxi_assets.lake.store import LakeObject
from taxi_assets_tests.lake import gcs_stub
from taxi_assets_tests.lake.files import new_file
from taxi_assets_tests.lake.gcs_stub import Fault, GcsStub

KEY = "trips/green/year=2024/month=01/trips.parquet"
NAME = f"prefix/{KEY}"
BIG = bytes(range(256)) * ((9 << 20) // 256)  # more than one part
FACTS = {"sha256": "0" * 64}


@pytest.fixture
def stub() -> Iterator[GcsStub]:
    with gcs_stub.running() as stub:
        yield stub


@pytest.fixture
def store(stub: GcsStub) -> GcsStore:
    return store_at(stub.url, "lake")


def store_at(endpoint: str, bucket: str) -> GcsStore:
    client = storage.Client(
        project="local",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call] # Google's own
        client_options={"api_endpoint": endpoint},
    )
    return GcsStore(f"gs://{bucket}/prefix", client)


def written_by_another_run(stub: GcsStub) -> Callable[..., None]:
    """A replacement for ``_expect``: another run writes the object between check and write."""

    def write(key: str, replacing: LakeObject | None) -> None:
        stub.store(f"prefix/{key}", b"winner", FACTS)

    return write


@pytest.mark.parametrize("content", [b"small", BIG], ids=["one request", "resumable"])
def test_an_upload_sends_its_checksum(
    stub: GcsStub, store: GcsStore, tmp_path: Path, content: bytes
) -> None:
    stored = store.put(new_file(tmp_path, content, {"etag": "ü"}), KEY, replacing=None)

    # The stub rejects an upload without the right CRC32C.
    assert stub.objects[NAME].content == content
    assert stub.objects[NAME].metadata == {"etag": "ü", "sha256": stored.sha256}
    assert stored.version == str(stub.objects[NAME].generation)
    assert [one.query["ifGenerationMatch"] for one in stub.requests("POST", "/upload/")] == ["0"]


def test_a_large_file_is_uploaded_in_parts(stub: GcsStub, store: GcsStore, tmp_path: Path) -> None:
    store.put(new_file(tmp_path, BIG), KEY, replacing=None)
    sizes = [len(one.body) for one in stub.requests("PUT", "/session/")]
    assert sizes == [8 << 20, 1 << 20]


@pytest.mark.parametrize("content", [b"small", BIG], ids=["one request", "resumable"])
def test_gcs_rejects_the_later_of_two_writers(
    stub: GcsStub,
    store: GcsStore,
    tmp_path: Path,
    content: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "_expect", written_by_another_run(stub))
    with pytest.raises(ConcurrentWrite, match=f"gs://lake/{NAME} was replaced or deleted by"):
        store.put(new_file(tmp_path, content), KEY, replacing=None)
    assert stub.objects[NAME].content == b"winner"


def test_gcs_rejects_a_copy_over_an_object_of_another_run(
    stub: GcsStub, store: GcsStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = store.put(new_file(tmp_path, b"audited"), "staging/x", replacing=None)
    monkeypatch.setattr(store, "_expect", written_by_another_run(stub))
    with pytest.raises(ConcurrentWrite):
        store.copy(source, KEY, replacing=None)
    assert stub.objects[NAME].content == b"winner"


def test_gcs_rejects_a_copy_of_another_version_of_the_source(
    stub: GcsStub, store: GcsStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = store.put(new_file(tmp_path, b"audited"), "staging/x", replacing=None)
    stub.store("prefix/staging/x", b"not audited", FACTS)
    monkeypatch.setattr(store, "_must_be_current", lambda source: None)
    with pytest.raises(ConcurrentWrite):
        store.copy(source, KEY, replacing=None)
    assert NAME not in stub.objects


def test_gcs_rejects_a_download_of_another_version(
    stub: GcsStub, store: GcsStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = store.put(new_file(tmp_path, b"old"), KEY, replacing=None)
    stub.store(NAME, b"new", FACTS)
    monkeypatch.setattr(store, "_must_be_current", lambda source: None)
    with pytest.raises(ConcurrentWrite):
        store.fetch(source, tmp_path)
    assert not list(tmp_path.glob("*trips.parquet*"))


def test_keys_are_in_order_whatever_the_order_of_the_listing(
    stub: GcsStub, store: GcsStore
) -> None:
    for key in ("b", "a", "c"):  # the stub lists the objects in the order of their writes
        stub.store(f"prefix/{key}", b"", FACTS)
    assert list(store.keys("")) == ["a", "b", "c"]


def test_a_copy_continues_until_it_is_complete(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    stub.rewrite_calls = 3
    source = store.put(new_file(tmp_path, b"audited", {"a": "1"}), "staging/x", replacing=None)
    copied = store.copy(source, KEY, replacing=None)
    assert len(stub.requests("POST", "/rewriteTo/")) == 3
    assert store.find(KEY) == copied


def test_content_that_gcs_stored_wrongly_is_deleted(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    stub.damages_content = True  # the response has the wrong CRC32C
    with pytest.raises(StoreUnavailable, match=r"[Cc]hecksum.* Try later"):
        store.put(new_file(tmp_path, BIG), KEY, replacing=None)
    assert stub.objects == {}


def test_a_checksum_mismatch_at_gcs_is_transient(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    message = "Provided CRC32C 'x' doesn't match calculated CRC32C 'y'."
    stub.faults.append(Fault("POST", "/upload/", 400, message, times=1000))
    with pytest.raises(StoreUnavailable, match="doesn't match"):
        store.put(new_file(tmp_path, b"x"), KEY, replacing=None)
    assert stub.objects == {}


def test_a_download_with_another_sha256_than_its_writer_s_is_rejected(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    stub.store(NAME, b"rotten", FACTS)
    with pytest.raises(StoreUnavailable, match=f"is damaged: its sha256 is not {'0' * 64}"):
        store.fetch(store.get(KEY, remedy=""), tmp_path / "fetched")
    assert list((tmp_path / "fetched").iterdir()) == []


@pytest.mark.parametrize("content", [b"small", BIG], ids=["one request", "resumable"])
def test_an_upload_whose_answer_was_lost_is_this_run_s_own(
    stub: GcsStub, store: GcsStore, tmp_path: Path, content: bytes
) -> None:
    content += b"last"
    stub.faults += [
        Fault("POST", "/upload/", 503, body=b"smalllast", done=True),
        Fault("PUT", "/session/", 503, body=b"last", done=True),
        Fault("PUT", "/session/", 404, body=b"last"),  # a session that is gone after that
    ]
    new = new_file(tmp_path, content, {"etag": "1"})
    stored = store.put(new, KEY, replacing=None)
    assert store.find(KEY) == stored
    assert stub.generation == 1001  # written once
    assert len(stub.requests("POST", "/upload/")) == 2  # the second is refused


def test_a_copy_whose_answer_was_lost_is_this_run_s_own(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    source = store.put(new_file(tmp_path, b"audited"), "staging/x", replacing=None)
    before = store.put(new_file(tmp_path, b"old"), KEY, replacing=None)
    stub.faults.append(Fault("POST", "/rewriteTo/", 503, done=True))
    copied = store.copy(source, KEY, replacing=before, attributes={"a": "1"})
    assert store.find(KEY) == copied
    assert len(stub.requests("POST", "/rewriteTo/")) == 2


def test_the_same_content_with_other_facts_is_another_run_s(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    new = new_file(tmp_path, b"x", {"etag": "1"})
    stub.faults.append(Fault("POST", "/upload/", 503))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_expect", lambda key, replacing: None)
        stub.store(NAME, b"x", {**new.described(), "etag": "2"})
        with pytest.raises(ConcurrentWrite):
            store.put(new, KEY, replacing=None)


@pytest.mark.parametrize("status", [404, 410, 308])
def test_a_lost_session_is_begun_again(
    stub: GcsStub, store: GcsStore, tmp_path: Path, status: int
) -> None:
    stub.faults.append(Fault("PUT", "/session/", status, "Not Found", "notFound"))
    stored = store.put(new_file(tmp_path, BIG), KEY, replacing=None)
    assert store.find(KEY) == stored
    assert len(stub.sessions) == 2

    stub.faults.append(Fault("PUT", "/session/", status, "Not Found", "notFound", times=1000))
    with pytest.raises(StoreUnavailable, match=r"Try later"):
        store.put(new_file(tmp_path, BIG), "other", replacing=None)
    assert len(stub.sessions) == 7


def test_an_upload_of_which_gcs_kept_less_than_was_sent_is_begun_again(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    stub.parts_to_cut = 1
    stored = store.put(new_file(tmp_path, BIG), KEY, replacing=None)
    assert store.find(KEY) == stored
    assert stub.objects[NAME].content == BIG


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_transient_error_is_retried(
    stub: GcsStub, store: GcsStore, tmp_path: Path, status: int
) -> None:
    stub.faults.append(Fault("POST", "/upload/", status, times=2))
    stub.faults.append(Fault("GET", "/b/", status, times=2))
    stored = store.put(new_file(tmp_path, b"x"), KEY, replacing=None)
    assert store.find(KEY) == stored


def test_a_failed_part_is_uploaded_again(stub: GcsStub, store: GcsStore, tmp_path: Path) -> None:
    stub.faults.append(Fault("POST", "/upload/", 503))
    stub.faults.append(Fault("PUT", "/session/", 503, times=2))
    stored = store.put(new_file(tmp_path, BIG), KEY, replacing=None)
    assert store.find(KEY) == stored
    assert stub.objects[NAME].content == BIG


def test_an_interrupted_download_is_resumed(stub: GcsStub, store: GcsStore, tmp_path: Path) -> None:
    stored = store.put(new_file(tmp_path, BIG), KEY, replacing=None)
    stub.downloads_to_cut = 2
    assert store.fetch(stored, tmp_path / "fetched").read_bytes() == BIG
    assert len(stub.requests("GET", "/download/")) == 3


def test_a_download_that_is_always_interrupted_is_transient(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    stored = store.put(new_file(tmp_path, b"x" * 100), KEY, replacing=None)
    stub.downloads_to_cut = 10_000
    with pytest.raises(StoreUnavailable, match=r"IncompleteRead.* Try later"):
        store.fetch(stored, tmp_path / "fetched")
    assert list((tmp_path / "fetched").iterdir()) == []


def test_an_error_after_all_retries_is_transient(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    stub.faults.append(Fault("POST", "/upload/", 503, "Backend Error", times=1000))
    with pytest.raises(StoreUnavailable, match=rf"Writing gs://lake/{NAME} failed .*Backend Error"):
        store.put(new_file(tmp_path, b"x"), KEY, replacing=None)


def test_every_request_to_a_missing_bucket_is_misconfigured(stub: GcsStub, tmp_path: Path) -> None:
    store = store_at(stub.url, "lakr")
    for act in (
        lambda: store.find(KEY),
        lambda: store.put(new_file(tmp_path, b"x"), KEY, replacing=None),
        lambda: list(store.keys("raw/")),
        lambda: store.delete(KEY),
    ):
        with pytest.raises(Misconfigured, match=r"no bucket lakr.*gcloud storage buckets create"):
            act()


def test_a_404_to_a_request_without_an_object_means_a_missing_bucket(
    stub: GcsStub, store: GcsStore, tmp_path: Path
) -> None:
    stub.faults.append(Fault("POST", "/upload/", 404, "Not Found", "notFound"))
    with pytest.raises(Misconfigured, match="no bucket lake"):
        store.put(new_file(tmp_path, b"x"), KEY, replacing=None)
    stub.faults.append(Fault("GET", "/b/lake/o", 404, "Not Found", "notFound"))
    with pytest.raises(Misconfigured, match="no bucket lake"):
        list(store.keys("raw/"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_error_for_a_missing_permission_names_the_role(
    stub: GcsStub, store: GcsStore, tmp_path: Path, method: str
) -> None:
    denied = "w@p.iam.gserviceaccount.com does not have storage.objects.get access."
    stub.faults.append(Fault(method, "/b/", 403, denied, "forbidden"))
    with pytest.raises(Misconfigured) as raised:
        store.put(new_file(tmp_path, b"x"), KEY, replacing=None)
    message = str(raised.value)
    assert denied in message
    assert "roles/storage.objectUser and roles/storage.legacyBucketReader on gs://lake" in message
    assert "buckets.get" not in message


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (403, "Cloud Storage API has not been used in project 42 before", "accessNotConfigured"),
        (403, "The billing account for the owning project is disabled", "accountDisabled"),
        (400, "User project specified in the request is invalid.", "invalid"),
    ],
)
def test_a_wrong_project_is_distinguished_from_a_missing_permission(
    stub: GcsStub, store: GcsStore, status: int, message: str, reason: str
) -> None:
    stub.faults.append(Fault("GET", "/b/", status, message, reason))
    with pytest.raises(Misconfigured, match="GOOGLE_CLOUD_PROJECT") as raised:
        store.find(KEY)
    assert message in str(raised.value)


def test_words_of_an_error_message_in_a_key_are_ignored(stub: GcsStub, store: GcsStore) -> None:
    denied = "w@p.iam.gserviceaccount.com does not have storage.objects.get access."
    stub.faults.append(Fault("GET", "/b/", 403, denied, "forbidden"))
    with pytest.raises(Misconfigured, match=r"roles/storage.objectUser"):
        store.find("serviceusage/User project/trips.parquet")


def test_the_error_for_rejected_credentials_names_the_command(
    stub: GcsStub, store: GcsStore
) -> None:
    stub.faults.append(Fault("GET", "/b/", 401, "Invalid Credentials", "authError"))
    with pytest.raises(Misconfigured, match="gcloud auth application-default login"):
        store.find(KEY)


def test_no_permission_on_the_bucket_itself_is_required(store: GcsStore, tmp_path: Path) -> None:
    stored = store.put(new_file(tmp_path, b"x"), KEY, replacing=None)
    copied = store.copy(stored, "other", replacing=None)
    assert store.fetch(copied, tmp_path / "fetched").read_bytes() == b"x"
    store.delete(KEY)
    assert list(store.keys("")) == ["other"]


def test_a_source_deleted_during_its_copy_is_a_concurrent_write(
    stub: GcsStub, store: GcsStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = store.put(new_file(tmp_path, b"audited"), "staging/x", replacing=None)
    stub.objects.clear()
    monkeypatch.setattr(store, "_must_be_current", lambda source: None)
    with pytest.raises(ConcurrentWrite, match="deleted by another run"):
        store.copy(source, KEY, replacing=None)
