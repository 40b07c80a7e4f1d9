"""Who the stores take this process for; no secret is shown."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from taxi_assets import optional
from taxi_assets.probes.probe import Probe

__all__ = ["identity_probes"]


def identity_probes(lake: str, warehouse: str) -> list[Probe]:
    """A probe for each cloud that the kinds of lake and warehouse (``addresses``) are on."""
    probes = []
    if lake == "gcs" or warehouse == "bigquery":
        probes.append(Probe("google: who am I", _google))
    if lake == "s3":
        probes.append(Probe("aws: who am I", _aws))
    if lake == "azure":
        probes.append(Probe("azure: who am I", _azure))
    return probes


def _google() -> str:
    from taxi_assets.probes.google_account import account  # noqa: PLC0415 - a slow import

    return account()


def _aws() -> str:
    return str(
        optional.load(
            "taxi_assets.probes.aws_account", extra="s3", wanted_by="A lake on s3"
        ).account()
    )


def _azure() -> str:
    connection = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    if connection:
        parts = dict(part.split("=", 1) for part in connection.split(";") if "=" in part)
        kind = "its key" if "AccountKey" in parts else "a shared access signature (SAS)"
        name = parts.get("AccountName") or urlsplit(parts.get("BlobEndpoint", "")).hostname
        return f"account {name} with {kind}, of AZURE_STORAGE_CONNECTION_STRING"
    name = os.environ.get("AZURE_STORAGE_ACCOUNT", "")
    if not name:
        return ""  # opening the lake says what is missing
    return f"account {name} with DefaultAzureCredential"
