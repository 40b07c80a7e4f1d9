"""The lake that a URL names.

A new store gets its scheme here; what to install or correct is said when that fails.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

from taxi_assets import optional
from taxi_assets.errors import Misconfigured
from taxi_assets.lake.local import LocalStore
from taxi_assets.lake.store import LakeStore

_FORMS = (
    "Use a folder (data/lake, file:///data/lake), gs://bucket/prefix, s3://bucket/prefix or "
    "az://container/prefix."
)


def open_store(url: str) -> LakeStore:
    """The store at ``url``; nothing is connected to yet.

    Raises ``Misconfigured`` for a URL of another form, an extra that is not installed, or
    credentials that are not there.
    """
    scheme, separator, _ = url.partition("://")
    if not url or (not separator and url.startswith("file:")):
        raise Misconfigured(f"TAXI_LAKE_URL is {url!r}, which names no lake.", _FORMS)
    if not separator:
        return LocalStore(Path(url).expanduser())
    if scheme == "file":
        return _local(url)
    # A cloud's client takes a second to import and may not be installed: only its lake pays.
    if scheme == "gs":
        return _gcs(url)
    if scheme == "s3":
        return _with_extra("s3").S3Store(url)  # type: ignore[no-any-return] # a module is untyped
    if scheme == "az":
        return _with_extra("azure").AzureStore(url)  # type: ignore[no-any-return] # the same
    # Only the scheme is repeated: whatever else it is may hold a password.
    raise Misconfigured(f"TAXI_LAKE_URL begins with {scheme!r}, which is unknown.", _FORMS)


def _local(url: str) -> LakeStore:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.strip("/"):
        raise Misconfigured(f"{url!r} names no folder.", "Write three slashes: file:///data/lake.")
    return LocalStore(Path(unquote(parts.path)))


def _gcs(url: str) -> LakeStore:
    from taxi_assets import gcp  # noqa: PLC0415 - a slow import
    from taxi_assets.lake.gcs import GcsStore, GoogleStorage  # noqa: PLC0415 - a slow import

    return GcsStore(url, GoogleStorage(project=gcp.project()).get_client())


def _with_extra(extra: str) -> ModuleType:
    return optional.load(f"taxi_assets.lake.{extra}", extra=extra, wanted_by=f"A lake on {extra}")
