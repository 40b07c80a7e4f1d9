from __future__ import annotations

import pytest
from google.api_core.exceptions import PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from taxi_assets_tests.emulators.gcs import Gcs


@pytest.fixture
def client(gcs_emulator: Gcs, monkeypatch: pytest.MonkeyPatch) -> storage.Client:
    for name, value in gcs_emulator.environment.items():
        monkeypatch.setenv(name, value)
    return storage.Client(gcs_emulator.project, AnonymousCredentials())  # type: ignore[no-untyped-call]  # by Google


def test_objects_are_stored_listed_copied_and_read_back(client: storage.Client) -> None:
    bucket = client.create_bucket("gcs-proof")
    blob = bucket.blob("raw/green/2024-01.parquet")
    blob.upload_from_string(b"trips", checksum="crc32c")
    target = bucket.blob("trips/green/2024-01.parquet")
    token, _, size = target.rewrite(blob)
    assert (token, size) == (None, 5)
    assert [found.name for found in client.list_blobs(bucket, prefix="trips/")] == [target.name]
    assert target.download_as_bytes() == b"trips"


def test_an_old_generation_is_rejected(client: storage.Client) -> None:
    blob = client.create_bucket("gcs-generations").blob("trips")
    blob.upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"second", if_generation_match=0)
    assert blob.download_as_bytes() == b"first"
