"""Parsing the URLs of lake and warehouse, ``TAXI_LAKE_URL`` and ``TAXI_WAREHOUSE_URL``.

Add a store's or engine's URL scheme here, and the code that opens it in ``lake.factory`` or
``warehouse.factory``. Error messages must not contain a URL that may hold a password.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from taxi_assets.errors import Misconfigured

__all__ = ["LakeAddress", "WarehouseAddress", "lake_address", "shown", "warehouse_address"]

_NOT_SHOWN = "(an address that cannot be parsed)"

_LAKES = {"file": "file", "gs": "gcs", "s3": "s3", "az": "azure"}
_LAKE_FORMS = (
    "Use a folder (data/lake, file:///data/lake), gs://bucket/prefix, s3://bucket/prefix or "
    "az://container/prefix."
)
_WAREHOUSES = {
    "duckdb": "duckdb",
    "bigquery": "bigquery",
    "postgresql": "postgres",
    "postgres": "postgres",
}
_WAREHOUSE_FORMS = (
    "Use duckdb:///path/to/file.duckdb, bigquery://project/dataset or "
    "postgresql://user@host/database."
)


@dataclass(frozen=True, slots=True)
class LakeAddress:
    """A folder (``kind`` is ``file``), or a prefix in a bucket of ``gcs``, ``s3`` or ``azure``."""

    url: str
    kind: str
    folder: Path | None = None
    bucket: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class WarehouseAddress:
    """A ``duckdb`` file, a ``bigquery`` dataset, or a ``postgres`` database.

    For ``postgres`` the driver parses ``url``.
    """

    url: str
    kind: str
    path: Path | None = None
    project: str = ""
    dataset: str = ""
    location: str | None = None
    require_partition_filter: bool = False


def shown(url: str) -> str:
    """Scheme, host, port and path of ``url``, for messages; never a user, password or query.

    A text that is not clearly a URL may hold a password anywhere, so none of it is shown. Where the
    path itself is secret, as in a webhook's address, do not show the address at all.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError, as urlsplit does
    except ValueError:
        return _NOT_SHOWN
    host = parts.netloc.rpartition("@")[2]
    rest = parts.path + parts.query + parts.fragment
    # A password with / or ? in it ends the host too early; an @ after the host shows that. A path
    # without a host may hold an @, as in a home folder's name.
    is_file = parts.scheme in ("file", "duckdb") and not parts.netloc and ":" not in rest
    if not parts.scheme or "://" not in url or ("@" in rest and not is_file):
        return _NOT_SHOWN
    return f"{parts.scheme}://{host}{parts.path.partition(';')[0]}"


def lake_address(url: str) -> LakeAddress:
    """Parse a lake's URL; raises ``Misconfigured`` if it is not valid."""
    scheme, separator, _ = url.partition("://")
    if not url or (not separator and url.startswith("file:")):
        raise Misconfigured(f"TAXI_LAKE_URL is {url!r}, which is not a lake.", _LAKE_FORMS)
    if not separator:
        return LakeAddress(url, "file", folder=Path(url).expanduser())
    if scheme not in _LAKES:
        # Only the scheme: the rest may hold a password.
        raise Misconfigured(f"TAXI_LAKE_URL has the unknown scheme {scheme!r}.", _LAKE_FORMS)
    parts = urlsplit(url)
    if scheme == "file":
        return _folder(url, parts)
    if not parts.netloc or parts.query or parts.fragment:
        raise Misconfigured(
            f"{url!r} names no bucket.", f"Use {scheme}://bucket or {scheme}://bucket/prefix."
        )
    prefix = parts.path.strip("/")
    return LakeAddress(url.rstrip("/"), _LAKES[scheme], bucket=parts.netloc, prefix=prefix)


def warehouse_address(url: str) -> WarehouseAddress:
    """Parse a warehouse's URL; raises ``Misconfigured`` if it is not valid."""
    scheme = url.partition(":")[0].partition("+")[0].lower()
    kind = _WAREHOUSES.get(scheme)
    if kind is None:
        # Only the scheme: the rest may hold a password.
        raise Misconfigured(
            f"TAXI_WAREHOUSE_URL has the unknown scheme {scheme!r}.", _WAREHOUSE_FORMS
        )
    if kind == "postgres":
        return WarehouseAddress(url, kind)
    parts = urlsplit(url)
    return _duckdb(url, parts) if kind == "duckdb" else _bigquery(url, parts)


def _folder(url: str, parts: SplitResult) -> LakeAddress:
    if parts.netloc not in ("", "localhost") or not parts.path.strip("/"):
        raise Misconfigured(f"{url!r} names no folder.", "Use three slashes: file:///data/lake.")
    return LakeAddress(url, "file", folder=Path(unquote(parts.path)))


def _duckdb(url: str, parts: SplitResult) -> WarehouseAddress:
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc or not path:
        raise Misconfigured(
            f"{url!r} names no file.",
            "Use three slashes for a path relative to the working directory "
            "(duckdb:///data/taxi.duckdb), or four for an absolute one (duckdb:////data/…).",
        )
    return WarehouseAddress(url, "duckdb", path=Path(path))


def _bigquery(url: str, parts: SplitResult) -> WarehouseAddress:
    dataset = parts.path.strip("/")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    location = options.pop("location", None)
    filtered = options.pop("require_partition_filter", "false").lower()
    if not parts.netloc or not dataset or "/" in dataset or options:
        raise Misconfigured(
            f"{url!r} names no BigQuery dataset.",
            "Use bigquery://project/dataset; the options are location=EU and "
            "require_partition_filter=true.",
        )
    if filtered not in ("true", "false"):
        raise Misconfigured(
            f"require_partition_filter is {filtered!r} in {url!r}.", "Use true or false."
        )
    return WarehouseAddress(
        url,
        "bigquery",
        project=parts.netloc,
        dataset=dataset,
        location=location,
        require_partition_filter=filtered == "true",
    )
