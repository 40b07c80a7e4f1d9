from __future__ import annotations

from azure.storage.blob import BlobServiceClient

from taxi_assets_tests.emulators.azure import Azure


def test_the_connection_string_configures_a_client(azure_emulator: Azure) -> None:
    string = azure_emulator.environment["AZURE_STORAGE_CONNECTION_STRING"]
    with BlobServiceClient.from_connection_string(string) as service:
        container = service.create_container("azure-proof")
        container.upload_blob("trips/green", b"trips", metadata={"month": "2024-01"})
        assert list(container.list_blob_names(name_starts_with="trips/")) == ["trips/green"]
        assert container.download_blob("trips/green").readall() == b"trips"
