"""Open the lake at a URL, which ``addresses`` parses.

A cloud's client takes a second to import and may not be installed, so it is imported on use.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from taxi_assets import optional
from taxi_assets.addresses import lake_address
from taxi_assets.lake.local import LocalStore
from taxi_assets.lake.store import LakeStore

if TYPE_CHECKING:
    from dagster_gcp import GCSResource

__all__ = ["open_store"]


def open_store(url: str, gcs: GCSResource | None = None) -> LakeStore:
    """The store at ``url``; opens no connection. One on GCS uses the client of ``gcs``.

    Raises ``Misconfigured`` for an invalid URL, an extra that is not installed, or missing
    credentials.
    """
    address = lake_address(url)
    if address.folder is not None:
        return LocalStore(address.folder)
    if address.kind == "gcs":
        return _gcs(url, gcs)
    if address.kind == "s3":
        return _with_extra("s3").S3Store(url)  # type: ignore[no-any-return] # a module is untyped
    return _with_extra("azure").AzureStore(url)  # type: ignore[no-any-return] # the same


def _gcs(url: str, gcs: GCSResource | None) -> LakeStore:
    from taxi_assets.gcp_clients import GoogleStorage  # noqa: PLC0415 - a slow import
    from taxi_assets.lake.gcs import GcsStore  # noqa: PLC0415 - a slow import

    return GcsStore(url, (gcs or GoogleStorage()).get_client())


def _with_extra(extra: str) -> ModuleType:
    return optional.load(f"taxi_assets.lake.{extra}", extra=extra, wanted_by=f"A lake on {extra}")
